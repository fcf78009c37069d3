// Proves: a disabled thread is not cancelled until it enables and reaches a point, testcancel
// acts, asynchronous type is kept, old values are reported, bad values are EINVAL, mutex_lock is
// no cancellation point.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static sem_t ready, cancelled;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *disabled(void *arg)
{
    int old;
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old) == 0 &&
          old == PTHREAD_CANCEL_ENABLE);
    sem_post(&ready);
    CHECK(sem_wait(&cancelled) == 0);
    usleep(1000);
    pthread_testcancel();
    step = 1;
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old) == 0 &&
          old == PTHREAD_CANCEL_DISABLE);
    step = 2; // enabling is no cancellation point for the deferred type
    pthread_testcancel();
    step = 3;
    return arg;
}

static void *locker(void *arg)
{
    sem_post(&ready);
    pthread_mutex_lock(&lock); // blocks, is cancelled, must still get the lock
    step = 10;
    pthread_mutex_unlock(&lock);
    step = 11;
    pthread_testcancel();
    step = 12;
    return arg;
}

static void *types(void *arg)
{
    int old;
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old) == 0 &&
          old == PTHREAD_CANCEL_DEFERRED);
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old) == 0 &&
          old == PTHREAD_CANCEL_ASYNCHRONOUS);
    CHECK(pthread_setcancelstate(77, &old) == EINVAL);
    CHECK(pthread_setcanceltype(77, &old) == EINVAL);
    return arg;
}

static void *late(void *arg)
{
    int old;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    sem_post(&ready);
    sem_wait(&cancelled);
    return arg; // ends normally though a request is pending
}

static void *request(void *(*body)(void *), int hold)
{
    pthread_t t;
    void *result;
    if (hold)
        pthread_mutex_lock(&lock);
    CHECK(pthread_create(&t, NULL, body, &step) == 0);
    CHECK(sem_wait(&ready) == 0);
    if (hold)
        usleep(20000);
    CHECK(pthread_cancel(t) == 0);
    CHECK(sem_post(&cancelled) == 0);
    if (hold) {
        usleep(20000);
        pthread_mutex_unlock(&lock);
        CHECK(sem_wait(&cancelled) == 0);
    }
    CHECK(pthread_join(t, &result) == 0);
    return result;
}

int main(void)
{
    pthread_t t;
    CHECK(sem_init(&ready, 0, 0) == 0 && sem_init(&cancelled, 0, 0) == 0);
    CHECK(request(disabled, 0) == PTHREAD_CANCELED && step == 2);
    CHECK(request(locker, 1) == PTHREAD_CANCELED && step == 11);
    CHECK(request(late, 0) == &step);
    CHECK(pthread_create(&t, NULL, types, NULL) == 0 && pthread_join(t, NULL) == 0);
    puts("cancel states ok");
    return 0;
}
