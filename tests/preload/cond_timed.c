// Proves: pthread_cond_timedwait (both clocks through the attribute) and pthread_cond_clockwait
// end at their time with the mutex held, see a signal in time, and refuse bad times.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t real = PTHREAD_COND_INITIALIZER, mono;
static int flag;

static void expect_timeout(pthread_cond_t *c, clockid_t clock, int explicit, long ms)
{
    struct timespec t = ms_from_now(clock, ms);
    double start = now();
    int rc;
    do
        rc = explicit ? pthread_cond_clockwait(c, &lock, clock, &t)
                      : pthread_cond_timedwait(c, &lock, &t);
    while (rc == 0); // spurious wake-ups are allowed
    CHECK(rc == ETIMEDOUT);
    CHECK(now() - start >= ms / 1000.0 - 0.001 && now() - start < ms / 1000.0 + 2);
    CHECK(pthread_mutex_lock(&lock) == EDEADLK); // we own it again
}

static void *timeouts(void *arg)
{
    (void)arg;
    CHECK(pthread_mutex_lock(&lock) == 0);
    expect_timeout(&real, CLOCK_REALTIME, 0, 50);
    expect_timeout(&mono, CLOCK_MONOTONIC, 0, 50);
    expect_timeout(&real, CLOCK_MONOTONIC, 1, 50);
    expect_timeout(&mono, CLOCK_REALTIME, 1, 50);
    expect_timeout(&real, CLOCK_REALTIME, 0, 0);
    struct timespec bad = {0, 1000000000};
    CHECK(pthread_cond_timedwait(&real, &lock, &bad) == EINVAL);
    CHECK(pthread_cond_clockwait(&real, &lock, CLOCK_PROCESS_CPUTIME_ID,
                                 &(struct timespec){0, 0}) == EINVAL);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return NULL;
}

static void *in_time(void *arg)
{
    struct timespec t = ms_from_now(CLOCK_MONOTONIC, 20000);
    (void)arg;
    CHECK(pthread_mutex_lock(&lock) == 0);
    while (!flag)
        CHECK(pthread_cond_timedwait(&mono, &lock, &t) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[20];
    pthread_condattr_t a;
    clockid_t clock;
    CHECK(pthread_condattr_init(&a) == 0);
    CHECK(pthread_condattr_setclock(&a, CLOCK_PROCESS_CPUTIME_ID) == EINVAL);
    CHECK(pthread_condattr_setclock(&a, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_condattr_getclock(&a, &clock) == 0 && clock == CLOCK_MONOTONIC);
    CHECK(pthread_cond_init(&mono, &a) == 0);
    timeouts(NULL);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(timeouts, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(in_time, NULL);
    usleep(50000);
    CHECK(pthread_mutex_lock(&lock) == 0);
    flag = 1;
    CHECK(pthread_cond_broadcast(&mono) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("timed conditions ok");
    return 0;
}
