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

#define CHECK(x) ((x) ? (void)0 : fail(#x, __LINE__))

static _Noreturn void fail(const char *what, int line)
{
    printf("line %d: %s: %s\n", line, what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static atomic_int stop, wakeups;

static pthread_t spawn(void *(*body)(void *), void *arg)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, body, arg) == 0);
    return t;
}
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

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
