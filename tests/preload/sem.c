// Proves: unnamed semaphores: wait, trywait EAGAIN, timedwait and clockwait ETIMEDOUT/EINVAL,
// getvalue, EOVERFLOW, and a counter of permits under many threads.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 50, PERMITS = 4, TURNS = 100 };

static sem_t permits, empty;
static atomic_int inside;

static void *body(void *arg)
{
    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        CHECK(sem_wait(&permits) == 0);
        CHECK(atomic_fetch_add(&inside, 1) < PERMITS);
        i % 10 ? sched_yield() : usleep(50);
        atomic_fetch_sub(&inside, 1);
        CHECK(sem_post(&permits) == 0);
    }
    return NULL;
}

static void *timeouts(void *arg)
{
    struct timespec t = ms_from_now(CLOCK_REALTIME, 60);
    double start = now();
    (void)arg;
    CHECK(sem_trywait(&empty) == -1 && errno == EAGAIN);
    CHECK(sem_timedwait(&empty, &t) == -1 && errno == ETIMEDOUT);
    CHECK(now() - start >= 0.059 && now() - start < 2);
    t = ms_from_now(CLOCK_MONOTONIC, 60);
    CHECK(sem_clockwait(&empty, CLOCK_MONOTONIC, &t) == -1 && errno == ETIMEDOUT);
    CHECK(now() - start >= 0.119);
    t.tv_nsec = 1000000000;
    CHECK(sem_timedwait(&empty, &t) == -1 && errno == EINVAL);
    return NULL;
}

static void *patient(void *arg)
{
    struct timespec t = ms_from_now(CLOCK_REALTIME, 900);
    t.tv_sec += 20;
    (void)arg;
    CHECK(sem_timedwait(&empty, &t) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    int value;
    CHECK(sem_init(&permits, 0, PERMITS) == 0);
    CHECK(sem_init(&empty, 0, 0) == 0);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(body, NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(sem_getvalue(&permits, &value) == 0 && value == PERMITS);
    for (int i = 0; i < 10; i++)
        t[i] = spawn(timeouts, NULL);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(patient, NULL);
    usleep(20000);
    for (int i = 0; i < THREADS; i++)
        CHECK(sem_post(&empty) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(sem_getvalue(&empty, &value) == 0 && value == 0);
    CHECK(sem_destroy(&empty) == 0);
    CHECK(sem_init(&empty, 0, SEM_VALUE_MAX) == 0);
    CHECK(sem_post(&empty) == -1 && errno == EOVERFLOW);
    CHECK(sem_init(&empty, 0, SEM_VALUE_MAX + 1u) == -1 && errno == EINVAL);
    puts("semaphores ok");
    return 0;
}
