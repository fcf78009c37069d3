// Proves: a thread that computes without any call does not stop the others.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static atomic_int stop, wakeups;

static void *hog(void *arg)
{
    volatile unsigned long n = 0;
    while (!stop)
        n++;
    return arg;
}

static void *sleeper(void *arg)
{
    for (int i = 0; i < 50; i++) {
        usleep(1000);
        wakeups++;
    }
    return arg;
}

int main(void)
{
    pthread_t h[2], s[20];
    double start = now();
    for (int i = 0; i < 2; i++)
        h[i] = spawn(hog, NULL);
    for (int i = 0; i < 20; i++)
        s[i] = spawn(sleeper, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(s[i], NULL) == 0);
    stop = 1;
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(h[i], NULL) == 0);
    CHECK(now() - start < 20);
    printf("wakeups %d\n", wakeups);
    return 0;
}
