// env: EVY_LOG=off
// Proves: under seccomp filters that kill for whatever is not on their list, or refuse it, a program with threads on
// every hub goes on: the list is the program's own calls and those that README.md says hubs use. The filter is on all
// threads (TSYNC), or one thread's own. One that was there before the first thread and refuses what hubs need leaves
// threads to the kernel.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* README.md: "What cannot work" */
static const int of_hubs[] = {
    SYS_epoll_ctl,
    SYS_epoll_pwait2,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_read,
    SYS_write,
    SYS_fcntl,
    SYS_close,
    SYS_futex,
    SYS_membarrier,
    SYS_sched_yield,
    SYS_clock_gettime,
    SYS_getpid,
    SYS_gettid,
    SYS_mmap,
    SYS_madvise,
    SYS_clone3,
    SYS_openat,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_rt_tgsigqueueinfo,
    SYS_sigaltstack,
    SYS_signalfd4,
    SYS_pidfd_open,
    SYS_pread64,
};
/* of the program, natively */
static const int of_program[] = {
    SYS_read,       SYS_write,  SYS_recvfrom,        SYS_sendto,  SYS_socketpair,
    SYS_close,      SYS_futex,  SYS_nanosleep,       SYS_brk,     SYS_clock_nanosleep,
    SYS_mmap,       SYS_munmap, SYS_mprotect,        SYS_madvise, SYS_exit,
    SYS_exit_group, SYS_clone3, SYS_set_robust_list, SYS_rseq,    SYS_rt_sigprocmask,
    SYS_poll,       SYS_getpid, SYS_tgkill,          SYS_gettid,  SYS_rt_sigreturn,
    SYS_newfstatat, SYS_clone,  SYS_prctl,           SYS_seccomp, SYS_sched_yield,
};

static pthread_barrier_t gate;
static sem_t sem;

static void install(unsigned refusal, unsigned flags)
{
    enum {
        HUBS = sizeof of_hubs / sizeof *of_hubs,
        N = HUBS + sizeof of_program / sizeof *of_program
    };
    struct sock_filter code[N + 3];
    code[0] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < N; i++)
        code[i + 1] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(i < HUBS ? of_hubs[i] : of_program[i - HUBS]),
            (unsigned char)(N - i), 0);
    code[N + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, refusal);
    code[N + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {N + 3, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0);
}

static void work(void)
{
    int fds[2];
    char c = 1;
    for (int i = 0; i < 5; i++) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
        CHECK(write(fds[0], &c, 1) == 1 && recv(fds[1], &c, 1, 0) == 1);
        usleep(1000);
        double end = now() + 0.02; /* its hub goes to another carrier, perhaps to a new one */
        while (now() < end)
            ;
        CHECK(send(fds[0], &c, 1, 0) == 1 && read(fds[1], &c, 1) == 1);
        close(fds[0]);
        close(fds[1]);
        sem_post(&sem);
        sem_wait(&sem);
    }
}

static void *works(void *arg)
{
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    work();
    return arg;
}

static void *nothing(void *arg)
{
    usleep(100);
    return arg;
}

static void *confines_itself(void *arg)
{
    install(*(unsigned *)arg, 0);
    work();
    return NULL;
}

static void on_all(unsigned refusal, int before)
{
    pthread_t t[6];
    if (before)
        install(refusal, 0);
    CHECK(pthread_barrier_init(&gate, NULL, 7) == 0);
    for (int i = 0; i < 6; i++)
        t[i] = spawn(works, NULL);
    pthread_barrier_wait(&gate);
    if (!before)
        install(refusal, SECCOMP_FILTER_FLAG_TSYNC);
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 6; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 10; i++)
        pthread_join(spawn(nothing, NULL), NULL);
}

static void on_one(unsigned refusal)
{
    pthread_t t[2];
    CHECK(pthread_barrier_init(&gate, NULL, 2) == 0);
    t[0] = spawn(works, NULL);
    pthread_barrier_wait(&gate);
    t[1] = spawn(confines_itself, &refusal);
    pthread_barrier_wait(&gate);
    pthread_join(t[1], NULL);
    pthread_join(t[0], NULL);
    int fd = open("/dev/null", O_WRONLY);
    CHECK(fd >= 0 && dup(fd) >= 0); /* nobody else is confined: dup is on no list */
}

static void *steps_aside(void *arg)
{
    syscall(SYS_sysinfo, NULL);
    return arg;
}

int main(void)
{
    static const char *const names[] = {"before all", "on all", "on one", "hit"};
    static const unsigned refusals[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ERRNO | EPERM};
    sem_init(&sem, 0, 0);
    for (int i = 1; i < 8; i++) {
        int status;
        unsigned refusal = refusals[i % 2];
        pid_t pid = fork();
        if (pid == 0) {
            if (i / 2 == 2)
                on_one(refusal);
            else
                on_all(refusal, i / 2 == 0);
            if (i / 2 == 3)
                pthread_join(spawn(steps_aside, NULL), NULL);
            _exit(5);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        printf("%s, filter that %s: status %x\n", names[i / 2], i % 2 ? "refuses" : "kills",
               status & ~0x80);
        fflush(stdout);
    }
    return 0;
}
