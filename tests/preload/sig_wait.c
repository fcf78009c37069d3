// Proves: each thread has its own signal mask, inherited at creation; a thread in sigwait,
// sigwaitinfo or sigtimedwait takes the signals sent to the process or to it; pthread_kill reaches
// the right thread.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static sem_t done;
static __thread int caught;
static int received[3];

static void handler(int sig)
{
    (void)sig;
    caught++;
}

static void *waiter(void *arg)
{
    sigset_t *set = arg;
    for (int i = 0; i < 3; i++) {
        int sig = 0;
        siginfo_t info;
        if (i == 0)
            CHECK(sigwait(set, &sig) == 0);
        else if (i == 1)
            CHECK((sig = sigwaitinfo(set, &info)) > 0 && info.si_signo == sig &&
                  info.si_pid == getpid());
        else
            CHECK((sig = sigtimedwait(set, &info, &(struct timespec){20, 0})) > 0 &&
                  info.si_code == SI_USER); // not SI_TKILL: libc says no more
        received[i] = sig;
        sem_post(&done);
    }
    CHECK(sigtimedwait(set, NULL, &(struct timespec){0, 50000000}) == -1 && errno == EAGAIN);
    return NULL;
}

static void *target(void *arg)
{
    sigset_t mask, pending;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
    CHECK(sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGHUP) == 0); // inherited
    int sleeps = (intptr_t)arg % 2;
    sem_post(&done);
    if (sleeps)
        while (!caught)
            usleep(1000);
    else
        while (sleep(100) == 0)
            ;
    CHECK(caught == 1);
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGHUP));
    return NULL;
}

int main(void)
{
    pthread_t w, t[4];
    sigset_t set;
    struct sigaction a = {.sa_handler = handler};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 && sigaction(SIGHUP, &a, NULL) == 0);
    CHECK(sem_init(&done, 0, 0) == 0);
    CHECK(pthread_create(&w, NULL, waiter, &set) == 0);
    int send[] = {SIGUSR1, SIGUSR2, SIGUSR1};
    for (int i = 0; i < 3; i++) {
        usleep(5000);
        CHECK(i < 2 ? kill(getpid(), send[i]) == 0 : pthread_kill(w, send[i]) == 0);
        CHECK(sem_wait(&done) == 0);
        CHECK(received[i] == send[i]);
    }
    CHECK(pthread_join(w, NULL) == 0);
    for (intptr_t i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, target, (void *)i) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(sem_wait(&done) == 0);
    usleep(10000);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_kill(t[i], SIGHUP) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(caught == 0); // main got none of them
    puts("signal masks ok");
    return 0;
}
