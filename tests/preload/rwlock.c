// Proves: readers share, writers exclude, try and timed variants answer EBUSY and ETIMEDOUT, a
// writer asking again gets EDEADLK.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t gate;
static atomic_int readers, writers;
static long value;

static void *mixed(void *arg)
{
    int id = (int)(intptr_t)arg;
    for (int i = 0; i < 200; i++) {
        if ((i + id) % 5 == 0) {
            CHECK(pthread_rwlock_wrlock(&lock) == 0);
            CHECK(atomic_fetch_add(&writers, 1) == 0 && readers == 0);
            long seen = value;
            i % 10 ? sched_yield() : usleep(50);
            value = seen + 1;
            atomic_fetch_sub(&writers, 1);
        } else {
            CHECK(pthread_rwlock_rdlock(&lock) == 0);
            atomic_fetch_add(&readers, 1);
            CHECK(writers == 0);
            i % 10 ? sched_yield() : usleep(50);
            CHECK(writers == 0);
            atomic_fetch_sub(&readers, 1);
        }
        CHECK(pthread_rwlock_unlock(&lock) == 0);
    }
    return NULL;
}

static void *share(void *arg)
{
    (void)arg;
    CHECK(pthread_rwlock_rdlock(&lock) == 0);
    pthread_barrier_wait(&gate); // only passes when all readers are inside together
    CHECK(pthread_rwlock_trywrlock(&lock) == EBUSY);
    pthread_barrier_wait(&gate);
    CHECK(pthread_rwlock_unlock(&lock) == 0);
    return NULL;
}

static void *outsider(void *arg)
{
    struct timespec t = ms_from_now(CLOCK_REALTIME, 50);
    double start = now();
    (void)arg;
    CHECK(pthread_rwlock_tryrdlock(&lock) == EBUSY);
    CHECK(pthread_rwlock_trywrlock(&lock) == EBUSY);
    CHECK(pthread_rwlock_timedrdlock(&lock, &t) == ETIMEDOUT);
    CHECK(now() - start >= 0.049);
    t = ms_from_now(CLOCK_REALTIME, 50);
    CHECK(pthread_rwlock_timedwrlock(&lock, &t) == ETIMEDOUT);
    t = ms_from_now(CLOCK_MONOTONIC, 50);
    CHECK(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &t) == ETIMEDOUT);
    t = ms_from_now(CLOCK_MONOTONIC, 50);
    CHECK(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &t) == ETIMEDOUT);
    CHECK(now() - start >= 0.196 && now() - start < 5);
    return NULL;
}

int main(void)
{
    pthread_t t[40];
    for (int i = 0; i < 40; i++)
        t[i] = spawn(mixed, (void *)(intptr_t)i);
    for (int i = 0; i < 40; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("writes %ld\n", value);
    CHECK(pthread_barrier_init(&gate, NULL, 20) == 0);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(share, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_rwlock_wrlock(&lock) == 0);
    CHECK(pthread_rwlock_wrlock(&lock) == EDEADLK);
    CHECK(pthread_rwlock_rdlock(&lock) == EDEADLK);
    for (int i = 0; i < 5; i++)
        t[i] = spawn(outsider, NULL);
    for (int i = 0; i < 5; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_rwlock_unlock(&lock) == 0);
    CHECK(pthread_rwlock_destroy(&lock) == 0);
    puts("rwlock ok");
    return 0;
}
