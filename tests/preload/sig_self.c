// Proves: a signal that a thread sends to its own process, and that nobody else lets in, is handled before kill or sigqueue
// returns (POSIX), however busy the others are: 400 times each, from another thread and from main.
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>

#include "check.h"

enum { TIMES = 400 };

static volatile sig_atomic_t handled, value;
static atomic_int stop;

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
        if (i % 40 == 0)
            work_for(0.015);
        if (i % 10 == 0)
            usleep(100);
    }
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    return arg;
}

int main(void)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t all;
    sigfillset(&all);
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0 && pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
    pthread_t t = spawn(hog, NULL);
    CHECK(pthread_join(spawn(sends, NULL), NULL) == 0);
    sends(NULL);
    stop = 1;
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && handled == 4 * TIMES);
    printf("%d handled at once\n", (int)handled);
    return 0;
}
