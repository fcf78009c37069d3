// Proves: pthread_mutex_timedlock and clocklock give ETIMEDOUT at the right moment on either
// clock, EINVAL for bad times, and the lock when it is freed in time.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *waiter(void *arg)
{
    struct timespec t = ms_from_now(CLOCK_REALTIME, 60);
    double start = now();
    (void)arg;
    CHECK(pthread_mutex_timedlock(&lock, &t) == ETIMEDOUT);
    CHECK(now() - start >= 0.059 && now() - start < 2);
    t = ms_from_now(CLOCK_MONOTONIC, 60);
    start = now();
    CHECK(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &t) == ETIMEDOUT);
    CHECK(now() - start >= 0.059 && now() - start < 2);
    t = ms_from_now(CLOCK_REALTIME, -1000);
    CHECK(pthread_mutex_timedlock(&lock, &t) == ETIMEDOUT);
    t.tv_nsec = 1000000000;
    CHECK(pthread_mutex_timedlock(&lock, &t) == EINVAL);
    t.tv_nsec = -1;
    CHECK(pthread_mutex_timedlock(&lock, &t) == EINVAL);
    CHECK(pthread_mutex_clocklock(&lock, CLOCK_PROCESS_CPUTIME_ID, &t) == EINVAL);
    return NULL;
}

static void *patient(void *arg)
{
    struct timespec t = ms_from_now(CLOCK_REALTIME, 20000);
    (void)arg;
    CHECK(pthread_mutex_timedlock(&lock, &t) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    t = ms_from_now(CLOCK_MONOTONIC, 20000);
    CHECK(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &t) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[20];
    struct timespec past = ms_from_now(CLOCK_REALTIME, -1000);
    CHECK(pthread_mutex_timedlock(&lock, &past) == 0); // free: the time does not matter
    for (int i = 0; i < 10; i++)
        t[i] = spawn(waiter, NULL);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(patient, NULL);
    usleep(50000);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("timed mutex ok");
    return 0;
}
