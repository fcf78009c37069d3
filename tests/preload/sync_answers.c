// Proves: error answers of mutexes, conditions, rwlocks, barriers and semaphores, private and
// process-shared: bad times and clocks, limits, busy objects, upgrades, destroyed mutexes.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define SHOW(x)                                                                                    \
    do {                                                                                           \
        int r_ = (x);                                                                              \
        printf("%s: %d\n", #x, r_ == -1 ? -errno : r_);                                            \
    } while (0)

static const struct timespec past = {1, 0}, before_epoch = {-1, 0};
static const struct timespec bad = {1, 1000000000}, negative = {1, -1};

static pthread_mutex_t m;
static pthread_cond_t c;
static pthread_rwlock_t l;
static sem_t s;

static void *on_held_mutex(void *arg)
{
    SHOW(pthread_mutex_trylock(&m));
    SHOW(pthread_mutex_timedlock(&m, &past));
    SHOW(pthread_mutex_timedlock(&m, &before_epoch));
    SHOW(pthread_mutex_timedlock(&m, &bad));
    SHOW(pthread_mutex_timedlock(&m, &negative));
    SHOW(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past));
    SHOW(pthread_mutex_clocklock(&m, CLOCK_BOOTTIME, &past));
    SHOW(pthread_mutex_destroy(&m));
    return arg;
}

static void mutexes(int type, int robust, int shared)
{
    pthread_mutexattr_t a;
    printf("mutex type %d robust %d shared %d\n", type, robust, shared);
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, type);
    pthread_mutexattr_setrobust(&a, robust);
    pthread_mutexattr_setpshared(&a, shared);
    SHOW(pthread_mutex_init(&m, &a));
    SHOW(pthread_mutex_timedlock(&m, &bad)); // free: the time does not count
    if (type != PTHREAD_MUTEX_NORMAL && type != PTHREAD_MUTEX_ADAPTIVE_NP) {
        SHOW(pthread_mutex_lock(&m));
        SHOW(pthread_mutex_trylock(&m));
        SHOW(pthread_mutex_timedlock(&m, &bad));
    }
    if (type == PTHREAD_MUTEX_RECURSIVE) {
        unsigned count = m.__data.__count;
        m.__data.__count = UINT_MAX;
        SHOW(pthread_mutex_lock(&m));
        SHOW(pthread_mutex_trylock(&m));
        for (m.__data.__count = count; --count; pthread_mutex_unlock(&m))
            ;
    }
    SHOW(pthread_mutex_consistent(&m));
    if (!robust)
        pthread_join(spawn(on_held_mutex, NULL), NULL);
    SHOW(pthread_mutex_unlock(&m));
    if (type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK || robust)
        SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_destroy(&m));
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_trylock(&m));
    SHOW(pthread_mutex_timedlock(&m, &past));
    SHOW(pthread_mutex_unlock(&m));
}

static void conditions(int shared)
{
    pthread_condattr_t a;
    pthread_mutexattr_t ma;
    printf("condition shared %d\n", shared);
    pthread_condattr_init(&a);
    pthread_condattr_setpshared(&a, shared);
    SHOW(pthread_condattr_setclock(&a, CLOCK_BOOTTIME));
    SHOW(pthread_cond_init(&c, &a));
    pthread_mutexattr_init(&ma);
    pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutexattr_setpshared(&ma, shared);
    pthread_mutex_init(&m, &ma);
    SHOW(pthread_cond_timedwait(&c, &m, &past)); // the mutex is not held
    SHOW(pthread_cond_wait(&c, &m));
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_cond_timedwait(&c, &m, &past));
    SHOW(pthread_cond_timedwait(&c, &m, &before_epoch));
    SHOW(pthread_cond_timedwait(&c, &m, &bad));
    SHOW(pthread_cond_timedwait(&c, &m, &negative));
    SHOW(pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &past));
    SHOW(pthread_cond_clockwait(&c, &m, CLOCK_BOOTTIME, &past));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_cond_signal(&c));
    SHOW(pthread_cond_broadcast(&c));
    SHOW(pthread_cond_destroy(&c));
    SHOW(pthread_mutex_destroy(&m));
}

static void *on_written(void *arg)
{
    SHOW(pthread_rwlock_tryrdlock(&l));
    SHOW(pthread_rwlock_trywrlock(&l));
    SHOW(pthread_rwlock_timedrdlock(&l, &past));
    SHOW(pthread_rwlock_timedwrlock(&l, &past));
    SHOW(pthread_rwlock_timedwrlock(&l, &before_epoch));
    SHOW(pthread_rwlock_clockrdlock(&l, CLOCK_MONOTONIC, &past));
    return arg;
}

static void rwlocks(int shared)
{
    pthread_rwlockattr_t a;
    printf("rwlock shared %d\n", shared);
    pthread_rwlockattr_init(&a);
    pthread_rwlockattr_setpshared(&a, shared);
    SHOW(pthread_rwlock_init(&l, &a));
    SHOW(pthread_rwlock_timedrdlock(&l, &bad));
    SHOW(pthread_rwlock_timedwrlock(&l, &negative));
    SHOW(pthread_rwlock_clockrdlock(&l, CLOCK_BOOTTIME, &past));
    SHOW(pthread_rwlock_clockwrlock(&l, CLOCK_BOOTTIME, &past));
    SHOW(pthread_rwlock_rdlock(&l));
    SHOW(pthread_rwlock_rdlock(&l));
    SHOW(pthread_rwlock_trywrlock(&l));
    SHOW(pthread_rwlock_timedwrlock(&l, &past));
    SHOW(pthread_rwlock_unlock(&l));
    SHOW(pthread_rwlock_unlock(&l));
    SHOW(pthread_rwlock_wrlock(&l));
    SHOW(pthread_rwlock_wrlock(&l));
    SHOW(pthread_rwlock_rdlock(&l));
    SHOW(pthread_rwlock_timedrdlock(&l, &past));
    SHOW(pthread_rwlock_timedwrlock(&l, &past));
    SHOW(pthread_rwlock_tryrdlock(&l));
    SHOW(pthread_rwlock_trywrlock(&l));
    pthread_join(spawn(on_written, NULL), NULL);
    SHOW(pthread_rwlock_unlock(&l));
    SHOW(pthread_rwlock_destroy(&l));
}

static void semaphores(int shared)
{
    int value;
    printf("semaphore shared %d\n", shared);
    SHOW(sem_init(&s, shared, (unsigned)SEM_VALUE_MAX + 1));
    SHOW(sem_init(&s, shared, SEM_VALUE_MAX - 1));
    SHOW(sem_post(&s));
    SHOW(sem_post(&s));
    SHOW(sem_getvalue(&s, &value));
    SHOW(value == SEM_VALUE_MAX);
    SHOW(sem_init(&s, shared, 1));
    SHOW(sem_timedwait(&s, &bad));
    SHOW(sem_clockwait(&s, CLOCK_BOOTTIME, &past));
    SHOW(sem_timedwait(&s, &past));
    SHOW(sem_timedwait(&s, &past));
    SHOW(sem_timedwait(&s, &before_epoch));
    SHOW(sem_clockwait(&s, CLOCK_MONOTONIC, &past));
    SHOW(sem_trywait(&s));
    SHOW(sem_destroy(&s));
}

static void barriers(int shared)
{
    pthread_barrierattr_t a;
    pthread_barrier_t b;
    printf("barrier shared %d\n", shared);
    pthread_barrierattr_init(&a);
    SHOW(pthread_barrierattr_setpshared(&a, 7));
    SHOW(pthread_barrierattr_setpshared(&a, shared));
    SHOW(pthread_barrier_init(&b, &a, 0));
    SHOW(pthread_barrier_init(&b, &a, (unsigned)INT_MAX + 1));
    SHOW(pthread_barrier_init(&b, &a, 1));
    for (int i = 0; i < 3; i++)
        SHOW(pthread_barrier_wait(&b) == PTHREAD_BARRIER_SERIAL_THREAD);
    SHOW(pthread_barrier_destroy(&b));
}

static void *all(void *arg)
{
    for (int shared = 0; shared < 2; shared++) {
        for (int type = 0; type < 4; type++)
            for (int robust = 0; robust < 2; robust++)
                mutexes(type, robust, shared);
        conditions(shared);
        rwlocks(shared);
        semaphores(shared);
        barriers(shared);
    }
    return arg;
}

int main(void)
{
    all(NULL); // alone
    pthread_join(spawn(all, NULL), NULL);
    all(NULL);
    return 0;
}
