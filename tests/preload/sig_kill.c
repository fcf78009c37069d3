// Proves: kill to the own process runs the handler once while main sleeps or waits; SIGTERM with
// its default action ends the process as natively even when all threads are parked.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t hits;

static void handler(int sig)
{
    CHECK(sig == SIGUSR1);
    hits = hits + 1;
}

static void *sender(void *arg)
{
    usleep(50000);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    return arg;
}

static void *sleeper(void *arg)
{
    usleep(100000);
    return arg;
}

int main(void)
{
    struct sigaction a = {.sa_handler = handler};
    pthread_t t, u;
    int status;
    sigset_t set, old;
    CHECK(sigaction(SIGUSR1, &a, NULL) == 0);
    sigfillset(&set);
    CHECK(pthread_sigmask(SIG_SETMASK, &set, &old) == 0);
    CHECK(pthread_create(&t, NULL, sender, NULL) == 0 &&
          pthread_create(&u, NULL, sleeper, NULL) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    CHECK(sleep(10) > 0); // cut short
    CHECK(hits == 1);
    CHECK(pthread_join(t, NULL) == 0 && pthread_join(u, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && hits == 2);
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0 && hits == 3);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 5; i++)
            pthread_create(&t, NULL, sleeper, NULL);
        for (;;)
            pause();
    }
    usleep(100000);
    CHECK(kill(child, SIGTERM) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
          WTERMSIG(status) == SIGTERM);
    printf("hits %d\n", (int)hits);
    return 0;
}
