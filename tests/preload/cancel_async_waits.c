// Proves: asynchronous cancellation reaches a thread that computes beside its canceller, one in a wait that
// is no cancellation point, one that turns it on late, and unwinds through cleanup handlers.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned long spins;
static atomic_int cleaned;

static void count(void *arg)
{
    (void)arg;
    cleaned++;
}

static void *spin(void *arg)
{
    pthread_cleanup_push(count, NULL);
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
    sem_post(arg);
    for (;;)
        spins++;
    pthread_cleanup_pop(0);
    return arg;
}

static void *lock(void *arg)
{
    pthread_cleanup_push(count, NULL);
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
    sem_post(arg);
    pthread_mutex_lock(&held);
    pthread_cleanup_pop(0);
    return arg;
}

static void *late(void *arg)
{
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
    sem_post(arg);
    usleep(20000);
    spins = 0;
    pthread_cleanup_push(count, NULL);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    spins = 1;
    pthread_cleanup_pop(0);
    return arg;
}

static void stop(void *(*body)(void *), useconds_t later)
{
    pthread_t t;
    sem_t ready;
    void *result;
    CHECK(sem_init(&ready, 0, 0) == 0 && pthread_create(&t, NULL, body, &ready) == 0);
    CHECK(sem_wait(&ready) == 0);
    if (later)
        usleep(later);
    CHECK(pthread_cancel(t) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
}

static void *stopper(void *arg)
{
    stop(spin, 100);
    return arg;
}

/* Computes all the time, as what it cancels does: neither is ever idle in the runtime. */
static void *rivals(void *arg)
{
    pthread_t t;
    sem_t ready;
    void *result;
    CHECK(sem_init(&ready, 0, 0) == 0 && pthread_create(&t, NULL, spin, &ready) == 0);
    CHECK(sem_wait(&ready) == 0);
    for (volatile long i = 0; i < 30000000; i++)
        ;
    CHECK(pthread_cancel(t) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    return arg;
}

int main(void)
{
    pthread_t t[3];
    CHECK(pthread_mutex_lock(&held) == 0);
    stop(spin, 0);
    stop(spin, 5000);
    stop(lock, 5000);
    stop(late, 100);
    CHECK(spins == 0);
    CHECK(pthread_mutex_unlock(&held) == 0 && pthread_mutex_lock(&held) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&t[i], NULL, i ? stopper : rivals, NULL) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("stopped, %d cleaned up\n", cleaned);
    return 0;
}
