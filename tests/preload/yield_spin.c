// Proves: a thread that does nothing but yield leaves the one processor to a thread that computes.
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "check.h"

static atomic_bool over;

static double cpu_seconds(void)
{
    struct rusage r;
    CHECK(getrusage(RUSAGE_SELF, &r) == 0);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void *computes(void *arg)
{
    unsigned x = 1;
    for (long i = 0; i < 200000000; i++)
        x = x * 1664525 + 1013904223;
    *(volatile unsigned *)arg = x;
    return arg;
}

static void *yields(void *arg)
{
    while (!over)
        sched_yield();
    return arg;
}

static double cost(void)
{
    unsigned result;
    double before = cpu_seconds();
    pthread_join(spawn(computes, &result), NULL);
    return cpu_seconds() - before;
}

int main(void)
{
    cpu_set_t one;
    int cpu = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK(cpu >= 0 && sched_setaffinity(0, sizeof one, &one) == 0);
    double alone = cost();
    pthread_t t = spawn(yields, NULL);
    double beside = cost();
    over = true;
    pthread_join(t, NULL);
    puts(beside < 1.5 * alone ? "left the processor" : "held the processor");
    return 0;
}
