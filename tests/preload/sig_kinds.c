// limit: 20
// Proves: signals of every origin reach whom they reach natively: what a write past RLIMIT_FSIZE or to a closed pipe causes
// its writer, SIGIO and what F_SETSIG names the owner, process or main, profiling timers a thread that computes; signalfd
// gives its reader what is pending for it or the process; alarm, pending and ignored ones pass exec.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

static __thread volatile sig_atomic_t got, code, from_fd;
static atomic_int anywhere;

static void handler(int sig, siginfo_t *info, void *context)
{
    (void)context;
    got = sig;
    code = info->si_code;
    from_fd = sig >= SIGRTMIN || sig == SIGIO ? info->si_fd : 0;
    anywhere++;
}

static void on(int sig)
{
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(sig, &a, NULL) == 0);
}

static void limits(void)
{
    FILE *f = tmpfile();
    int fds[2];
    char block[5000] = "";
    struct rlimit old, small;
    CHECK(f && pipe(fds) == 0);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 4096;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    on(SIGXFSZ);
    on(SIGPIPE);
    printf("write %zd", write(fileno(f), block, sizeof block));
    got = 0;
    ssize_t r = write(fileno(f), block, 1);
    printf(" then %zd %s, signal %d code %d\n", r, strerror(errno), got == SIGXFSZ, code);
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    close(fds[0]);
    got = 0;
    r = write(fds[1], block, 1);
    printf("pipe %zd %s, signal %d\n", r, strerror(errno), got == SIGPIPE);
    close(fds[1]);
    fclose(f);
}

static void *writes_later(void *fd)
{
    usleep(5000);
    CHECK(write(*(int *)fd, "x", 1) == 1);
    return NULL;
}

static void owned(const char *what, int owner, int sig)
{
    int fds[2];
    struct f_owner_ex ex = {F_OWNER_TID, 0};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    on(SIGIO);
    on(SIGRTMIN + 2);
    if (owner == 0) {
        CHECK(fcntl(fds[0], F_SETOWN, getpid()) == 0);
    } else {
        ex.pid = (int)syscall(SYS_gettid);
        CHECK(fcntl(fds[0], F_SETOWN_EX, &ex) == 0);
    }
    if (sig)
        CHECK(fcntl(fds[0], F_SETSIG, SIGRTMIN + 2) == 0);
    CHECK(fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
    anywhere = 0;
    got = 0;
    pthread_t t = spawn(writes_later, &fds[1]);
    for (int i = 0; i < 100 && !anywhere; i++)
        poll(NULL, 0, 20);
    pthread_join(t, NULL);
    printf("%s: here %d, %s, fd %d\n", what, got != 0 || owner == 0,
           got == SIGIO || owner == 0 ? "SIGIO" : "as asked", sig && owner ? from_fd == fds[0] : 1);
    CHECK(anywhere >= 1);
    close(fds[0]);
    close(fds[1]);
}

static void profiles(void)
{
    struct itimerval often = {{0, 4000}, {0, 4000}}, off = {{0, 0}, {0, 0}};
    on(SIGPROF);
    on(SIGVTALRM);
    got = 0;
    CHECK(setitimer(ITIMER_PROF, &often, NULL) == 0);
    double end = now() + 5;
    while (got != SIGPROF && now() < end)
        ;
    printf("SIGPROF %d", got == SIGPROF);
    CHECK(setitimer(ITIMER_PROF, &off, NULL) == 0 && setitimer(ITIMER_VIRTUAL, &often, NULL) == 0);
    while (got != SIGVTALRM && now() < end)
        ;
    printf(" SIGVTALRM %d\n", got == SIGVTALRM);
    CHECK(setitimer(ITIMER_VIRTUAL, &off, NULL) == 0);
}

static pthread_t reader;

static void *sends(void *arg)
{
    usleep(5000);
    pthread_kill(reader, SIGUSR1);
    usleep(5000);
    pthread_sigqueue(reader, SIGRTMIN + 3, (union sigval){33});
    usleep(5000);
    kill(getpid(), SIGUSR2);
    return arg;
}

static void descriptor(int flags)
{
    sigset_t set, old;
    struct signalfd_siginfo info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 3);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | flags);
    reader = pthread_self();
    pthread_t t = spawn(sends, NULL);
    for (int i = 0; i < 3; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (flags)
            CHECK(poll(&p, 1, 5000) == 1);
        CHECK(read(fd, &info, sizeof info) == sizeof info);
        printf("signalfd %u %d %d;", info.ssi_signo, info.ssi_code <= 0, info.ssi_int);
    }
    pthread_join(t, NULL);
    if (flags)
        CHECK(read(fd, &info, sizeof info) == -1 && errno == EAGAIN);
    close(fd);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    puts("");
}

static void passes_exec(void)
{
    int status;
    sigset_t set;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGWINCH);
        signal(SIGUSR2, SIG_IGN);
        signal(SIGWINCH, SIG_DFL);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        spawn(sleep_unsignalled, NULL);
        pthread_kill(pthread_self(), SIGUSR1);
        kill(getpid(), SIGUSR1);
        alarm(77);
        execl("/proc/self/exe", "self", "told", NULL);
        _exit(9);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0x300);
}

static int told(void)
{
    sigset_t pending, blocked;
    struct sigaction a;
    sigpending(&pending);
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    sigaction(SIGUSR2, NULL, &a);
    printf("pending %d, blocked %d %d, ignored %d, alarm %d\n", sigismember(&pending, SIGUSR1),
           sigismember(&blocked, SIGUSR1), sigismember(&blocked, SIGWINCH), a.sa_handler == SIG_IGN,
           alarm(0) > 70);
    return 3;
}

static void *all(void *arg)
{
    limits();
    owned("process", 0, 0);
    if (getpid() == (pid_t)syscall(SYS_gettid)) {
        owned("thread", 1, 0);
        owned("thread with a signal", 1, 1);
    }
    profiles();
    descriptor(0);
    descriptor(SFD_NONBLOCK);
    passes_exec();
    return arg;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return argv[1][0] == 't' ? told() : 1;
    spawn(sleep_unsignalled, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    all(NULL);
    sigset_t set; /* what the other thread's descriptor is to show */
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 3);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_join(spawn(all, NULL), NULL);
    return fflush(stdout);
}
