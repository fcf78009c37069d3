// Proves: join, tryjoin_np, timedjoin_np, clockjoin_np hand over the result or say EBUSY and
// ETIMEDOUT at the right time.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void *sleeper(void *arg)
{
    usleep((useconds_t)(intptr_t)arg);
    return arg;
}

static void *leave(void *arg)
{
    pthread_exit(arg);
}

static void joins(void)
{
    void *result = NULL;
    double start = now();
    pthread_t t = spawn(sleeper, (void *)300000);
    CHECK(pthread_tryjoin_np(t, &result) == EBUSY);
    struct timespec deadline = ms_from_now(CLOCK_REALTIME, 50);
    CHECK(pthread_timedjoin_np(t, &result, &deadline) == ETIMEDOUT);
    CHECK(now() - start >= 0.049);
    deadline = ms_from_now(CLOCK_MONOTONIC, 50);
    CHECK(pthread_clockjoin_np(t, &result, CLOCK_MONOTONIC, &deadline) == ETIMEDOUT);
    CHECK(now() - start >= 0.099 && result == NULL);
    CHECK(pthread_join(t, &result) == 0 && result == (void *)300000);
    CHECK(now() - start >= 0.299);

    t = spawn(sleeper, (void *)1000);
    deadline = ms_from_now(CLOCK_REALTIME, 20000);
    CHECK(pthread_timedjoin_np(t, &result, &deadline) == 0 && result == (void *)1000);
    t = spawn(sleeper, (void *)1001);
    deadline = ms_from_now(CLOCK_MONOTONIC, 20000);
    CHECK(pthread_clockjoin_np(t, &result, CLOCK_MONOTONIC, &deadline) == 0 &&
          result == (void *)1001);
    t = spawn(leave, (void *)7);
    usleep(20000);
    int rc;
    while ((rc = pthread_tryjoin_np(t, &result)) == EBUSY)
        usleep(1000);
    CHECK(rc == 0 && result == (void *)7);
}

static void *in_thread(void *arg)
{
    joins();
    return arg;
}

int main(void)
{
    pthread_t t[10];
    void *result;
    joins();
    for (int i = 0; i < 10; i++)
        t[i] = spawn(in_thread, &t[i]);
    for (int i = 9; i >= 0; i--)
        CHECK(pthread_join(t[i], &result) == 0 && result == &t[i]);
    puts("joins ok");
    return 0;
}
