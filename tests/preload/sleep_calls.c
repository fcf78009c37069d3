// Proves: sleep, usleep, nanosleep, clock_nanosleep (relative and absolute on both clocks) last at
// least their time, many at once take no longer than one, and bad arguments are refused as
// natively.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void lasts(double start, double s)
{
    double t = now() - start;
    CHECK(t >= s - 0.001 && t < s + 3);
}

static void *body(void *arg)
{
    struct timespec t = {0, 60000000}, rest = {7, 7};
    double start = now();
    CHECK(usleep(60000) == 0);
    lasts(start, 0.06);
    start = now();
    CHECK(nanosleep(&t, &rest) == 0);
    CHECK(rest.tv_sec == 7 && rest.tv_nsec == 7);
    lasts(start, 0.06);
    clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int i = 0; i < 2; i++) {
        start = now();
        CHECK(clock_nanosleep(clocks[i], 0, &t, NULL) == 0);
        lasts(start, 0.06);
        struct timespec at;
        start = now();
        CHECK(clock_gettime(clocks[i], &at) == 0);
        at.tv_nsec += 60000000;
        at.tv_sec += at.tv_nsec / 1000000000;
        at.tv_nsec %= 1000000000;
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &at, NULL) == 0);
        lasts(start, 0.06);
        at.tv_sec -= 100; // the past: at once
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &at, NULL) == 0);
    }
    t.tv_nsec = 1000000000;
    CHECK(nanosleep(&t, NULL) == -1 && errno == EINVAL);
    t.tv_nsec = -1;
    CHECK(nanosleep(&t, NULL) == -1 && errno == EINVAL);
    CHECK(clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL) == EINVAL);
    t = (struct timespec){-1, 0};
    CHECK(nanosleep(&t, NULL) == -1 && errno == EINVAL);
    t = (struct timespec){0, 0};
    CHECK(nanosleep(&t, NULL) == 0 && usleep(0) == 0 && sleep(0) == 0);
    CHECK(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL) == EINVAL);
    CHECK(clock_nanosleep(12345, 0, &t, NULL) == EINVAL);
    start = now();
    CHECK(sleep(1) == 0);
    lasts(start, 1);
    return arg;
}

int main(void)
{
    pthread_t t[100];
    double start = now();
    for (int i = 0; i < 100; i++)
        t[i] = spawn(body, NULL);
    for (int i = 0; i < 100; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(now() - start < 8);
    body(NULL);
    puts("sleeps ok");
    return 0;
}
