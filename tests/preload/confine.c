// Proves: a program that takes rights away from itself while threads live does so as natively and goes on: a seccomp
// filter on all threads that kills for calls nothing of its kind makes, dropped ids and groups, capabilities, no_new_privs,
// chroot seen by all threads, a working directory and umask shared by all.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static pthread_barrier_t gate;

static void *asks(void *arg)
{
    char here[4096];
    pthread_barrier_wait(&gate); /* started */
    pthread_barrier_wait(&gate); /* changed */
    long answer = strcmp(getcwd(here, sizeof here) ? here : "?", "/") == 0;
    answer = answer << 1 | (geteuid() == 65534);
    answer = answer << 1 | (getegid() == 65534);
    answer = answer << 1 | (getgroups(0, NULL) == 0);
    answer = answer << 1 | (open("/etc/shadow", O_RDONLY) == -1);
    answer = answer << 1 | (setuid(0) == -1);
    answer = answer << 1 | (umask(077) == 077);
    (void)arg;
    return (void *)answer;
}

static void with_threads(void *(*body)(void *), void (*change)(void))
{
    pthread_t t[6];
    pthread_barrier_init(&gate, NULL, 7);
    for (int i = 0; i < 6; i++)
        t[i] = spawn(body, NULL);
    pthread_barrier_wait(&gate);
    change();
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 6; i++) {
        void *answer;
        pthread_join(t[i], &answer);
        printf(" %lx", (long)answer);
    }
    puts("");
    fflush(stdout);
}

static void drop_rights(void)
{
    umask(077);
    if (geteuid())
        return;
    CHECK(chroot("/tmp") == 0 && chdir("/") == 0);
    CHECK(setgroups(0, NULL) == 0);
    CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
}

/* Forbids what no thread needs that only computes, waits, reads and writes: opening, connecting, new processes. */
static void filter(void)
{
    static const int forbidden[] = {SYS_openat, SYS_connect, SYS_execve, SYS_mkdirat, SYS_ptrace};
    enum { N = sizeof forbidden / sizeof *forbidden };
    struct sock_filter code[N + 4];
    unsigned at = 0;
    code[at++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < N; i++)
        code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)forbidden[i],
                                                  (unsigned char)(N - i), 0);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {(unsigned short)at, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0);
}

static void *works(void *arg)
{
    int fds[2];
    char c = 1;
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    long ok = open("/etc/passwd", O_RDONLY) == -1 && errno == EPERM;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    CHECK(write(fds[0], &c, 1) == 1 && read(fds[1], &c, 1) == 1);
    usleep(1000);
    double end = now() + 0.03;
    while (now() < end)
        ;
    CHECK(write(fds[0], &c, 1) == 1 && read(fds[1], &c, 1) == 1);
    close(fds[0]);
    close(fds[1]);
    (void)arg;
    return (void *)ok;
}

int main(void)
{
    for (int what = 0; what < 2; what++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            with_threads(what ? works : asks, what ? filter : drop_rights);
            exit(what);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        printf("status %x\n", status);
        fflush(stdout);
    }
    return 0;
}
