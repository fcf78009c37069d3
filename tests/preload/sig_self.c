// Proves: a signal that a thread sends to its own process, and that nobody else lets in, is handled before kill, sigqueue,
// pidfd_send_signal, tgkill, rt_sigqueueinfo or rt_tgsigqueueinfo returns (POSIX), however busy the others are: 400 times
// each, from another thread and from main. What another process's descriptor names, or the kernel refuses, stays as it is.
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

enum { TIMES = 400 };

static volatile sig_atomic_t handled, value;
static atomic_int stop;
static int own_pidfd;

static void handler(int sig, siginfo_t *info, void *context)
{
    (void)context;
    CHECK(sig == SIGUSR1 && info->si_pid == getpid() && info->si_uid == getuid());
    handled++;
    value = info->si_code == SI_QUEUE ? info->si_value.sival_int : -info->si_code;
}

static void work_for(double seconds)
{
    double end = now() + seconds;
    while (now() < end)
        ;
}

static void *hog(void *arg)
{
    while (!stop) {
        work_for(0.004);
        usleep(1000);
    }
    return arg;
}

static long queue_raw(long number, int with)
{
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE, .si_value.sival_int = with};
    info.si_pid = getpid();
    info.si_uid = getuid();
    switch (number) {
    case SYS_pidfd_send_signal:
        return syscall(number, own_pidfd, SIGUSR1, &info, 0);
    case SYS_rt_sigqueueinfo:
        return syscall(number, getpid(), SIGUSR1, &info);
    default:
        return syscall(number, getpid(), gettid(), SIGUSR1, &info);
    }
}

static void send_by_number(int i)
{
    static const long numbers[] = {SYS_pidfd_send_signal, SYS_rt_sigqueueinfo,
                                   SYS_rt_tgsigqueueinfo};
    int before = handled;
    CHECK(pidfd_send_signal(own_pidfd, SIGUSR1, NULL, 0) == 0);
    CHECK(handled == before + 1 && value == -SI_USER);
    CHECK(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1) == 0);
    CHECK(handled == before + 2 && value == -SI_TKILL);
    for (int k = 0; k < 3; k++) {
        CHECK(queue_raw(numbers[k], i + k) == 0);
        CHECK(handled == before + 3 + k && value == i + k);
    }
}

static void to_others(void)
{
    siginfo_t info = {.si_signo = SIGUSR2};
    int before = handled, status;
    pid_t child = fork();
    if (child == 0) {
        sleep(20);
        _exit(1);
    }
    int fd = (int)syscall(SYS_pidfd_open, child, 0);
    CHECK(fd >= 0 && syscall(SYS_pidfd_send_signal, own_pidfd, SIGUSR1, &info, 0) == -1);
    CHECK(errno == EINVAL && syscall(SYS_pidfd_send_signal, own_pidfd, SIGUSR1, 16L, 0) == -1);
    CHECK(errno == EFAULT && syscall(SYS_pidfd_send_signal, own_pidfd, SIGUSR1, NULL, -1) == -1);
    CHECK(errno == EINVAL && syscall(SYS_pidfd_send_signal, -1, SIGUSR1, NULL, 0) == -1);
    CHECK(errno == EBADF && syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 16L) == -1);
    CHECK(errno == EFAULT && handled == before);
    CHECK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL && close(fd) == 0);
}

static void *sends(void *arg)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    for (int i = 1; i <= TIMES; i++) {
        int before = handled;
        CHECK(kill(getpid(), SIGUSR1) == 0 && handled == before + 1 && value == -SI_USER);
        CHECK(sigqueue(getpid(), SIGUSR1, (union sigval){i}) == 0);
        CHECK(handled == before + 2 && value == i);
        send_by_number(i);
        if (i % 40 == 0)
            work_for(0.015);
        if (i % 10 == 0)
            usleep(100);
    }
    to_others();
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    return arg;
}

int main(void)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t all;
    sigfillset(&all);
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0 && pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
    own_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    pthread_t t = spawn(hog, NULL);
    CHECK(pthread_join(spawn(sends, NULL), NULL) == 0);
    sends(NULL);
    stop = 1;
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && handled == 14 * TIMES);
    printf("%d handled at once\n", (int)handled);
    return 0;
}
