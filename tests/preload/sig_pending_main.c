// Proves: a signal that main blocked and raised before it made its first thread stays main's: other
// threads do not see it pending, main does, waits for it and handles it.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static volatile int handled;

static void note(int sig)
{
    handled = sig;
}

static void *look(void *arg)
{
    sigset_t pending;
    CHECK(sigpending(&pending) == 0);
    printf("a thread sees USR1 %d, USR2 %d\n", sigismember(&pending, SIGUSR1),
           sigismember(&pending, SIGUSR2));
    return arg;
}

int main(void)
{
    int sig;
    pthread_t t;
    sigset_t both, one, pending;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &both, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && raise(SIGUSR2) == 0);
    CHECK(pthread_create(&t, NULL, look, NULL) == 0 && pthread_join(t, NULL) == 0);
    CHECK(sigpending(&pending) == 0);
    CHECK(sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, SIGUSR2) == 1);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    CHECK(sigwait(&one, &sig) == 0 && sig == SIGUSR1);
    CHECK(signal(SIGUSR2, note) == SIG_DFL && sigprocmask(SIG_UNBLOCK, &both, NULL) == 0);
    CHECK(handled == SIGUSR2);
    puts("main had both");
    return 0;
}
