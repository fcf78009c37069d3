/* What the programs of this folder share: a check that tells its line, a thread, the time, the memory in use, the kernel's thread. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x) ((x) ? (void)0 : fail(#x, __LINE__))

__attribute__((noreturn)) static inline void fail(const char *what, int line)
{
    printf("line %d: %s: %s\n", line, what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static inline pthread_t spawn(void *(*body)(void *), void *arg)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, body, arg) == 0);
    return t;
}

/* A thread's body: it takes no signal and does nothing. */
static inline void *sleep_unsignalled(void *arg)
{
    sigset_t set;
    sigfillset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    for (;;)
        sleep(1000);
    return arg;
}

/* Seconds of the monotonic clock. */
static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The time of a clock, so many milliseconds from now. */
static inline struct timespec ms_from_now(clockid_t clock, long ms)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* The kernel's thread: gettid() tells the id of the program's. */
static inline int kernel_thread_id(void)
{
    char link[64];
    ssize_t n = readlink("/proc/thread-self", link, sizeof link - 1);
    CHECK(n > 0);
    link[n] = 0;
    return atoi(strrchr(link, '/') + 1);
}

static inline long resident_pages(void)
{
    long size, resident;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f && fscanf(f, "%ld %ld", &size, &resident) == 2);
    fclose(f);
    return resident;
}

#endif
