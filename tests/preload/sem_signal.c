// Proves: sem_post from a signal handler wakes threads blocked in sem_wait, whichever thread the
// handler interrupted.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

enum { WAITERS = 5, EACH = 10 };

static sem_t sem;
static atomic_int posts, taken;

static void handler(int sig)
{
    int saved = errno;
    (void)sig;
    if (atomic_fetch_add(&posts, 1) < WAITERS * EACH)
        sem_post(&sem);
    errno = saved;
}

static void *waiter(void *arg)
{
    for (int i = 0; i < EACH; i++) {
        while (sem_wait(&sem) != 0)
            CHECK(errno == EINTR);
        atomic_fetch_add(&taken, 1);
    }
    return arg;
}

int main(void)
{
    pthread_t t[WAITERS];
    struct sigaction a = {.sa_handler = handler};
    struct itimerval every = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    CHECK(sem_init(&sem, 0, 0) == 0 && sigaction(SIGALRM, &a, NULL) == 0);
    for (int i = 0; i < WAITERS; i++)
        CHECK(pthread_create(&t[i], NULL, waiter, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    for (int i = 0; i < WAITERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    printf("taken %d\n", taken);
    return 0;
}
