// flags: -Wno-deprecated-declarations
// Proves: the remaining signal calls act on the green thread that makes them: sigprocmask, sigsuspend,
// siginterrupt, pthread_sigqueue, and jumps out of handlers.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
static volatile sig_atomic_t count, value;
static sigjmp_buf env;
static jmp_buf plain;

static void note(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    count++;
    value = info->si_value.sival_int;
}

static void jump(int sig)
{
    (void)sig;
    siglongjmp(env, 1);
}

static sigset_t only(int sig)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    return set;
}

static void suspended(void)
{
    sigset_t usr = only(SIGUSR1), none;
    sigemptyset(&none);
    CHECK(sigprocmask(SIG_BLOCK, &usr, NULL) == 0);
    union sigval v = {.sival_int = 77};
    CHECK(pthread_sigqueue(pthread_self(), SIGUSR1, v) == 0 && count == 0);
    CHECK(sigsuspend(&none) == -1 && errno == EINTR && count == 1 && value == 77);
    CHECK(sigprocmask(SIG_UNBLOCK, &usr, NULL) == 0);
}

static void *poker(void *target)
{
    union sigval v = {.sival_int = 5};
    usleep(30000);
    CHECK(pthread_sigqueue(*(pthread_t *)target, SIGUSR1, v) == 0);
    return NULL;
}

static void interrupted(void)
{
    char c;
    int fds[2];
    pthread_t t, me = pthread_self();
    CHECK(pipe(fds) == 0 && siginterrupt(SIGUSR1, 1) == 0);
    CHECK(pthread_create(&t, NULL, poker, &me) == 0);
    CHECK(read(fds[0], &c, 1) == -1 && errno == EINTR && value == 5);
    CHECK(pthread_join(t, NULL) == 0);
}

static void jumped(void)
{
    static volatile int times;
    sigset_t mask;
    signal(SIGUSR2, jump);
    times = 0;
    if (sigsetjmp(env, 1) == 0 || times < 3) {
        times++;
        raise(SIGUSR2);
    }
    CHECK(times == 3 && sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, SIGUSR2));
    times = 0;
    if (_setjmp(plain) < 2)
        times++ ? _longjmp(plain, 2) : longjmp(plain, 1);
    CHECK(times == 2);
}

static void *all(void *arg)
{
    struct sigaction act = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    suspended();
    interrupted();
    jumped();
    return arg;
}

int main(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, all, NULL) == 0 && pthread_join(t, NULL) == 0);
    puts("signals ok");
    return 0;
}
