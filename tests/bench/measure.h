/* What the programs of the bench measure with: each is one translation unit and uses some of these. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdio.h>
#include <time.h>

#define BENCH_HELPER static inline __attribute__((unused))

BENCH_HELPER double read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds. */
BENCH_HELPER double now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* CPU time of the process, in ns. */
BENCH_HELPER double cpu_now(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID) * 1e9;
}

/* Resident and page tables, in bytes. */
BENCH_HELPER long memory(void)
{
    char line[100];
    long kb, sum = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kb) == 1 || sscanf(line, "VmPTE: %ld", &kb) == 1)
            sum += kb * 1024;
    if (f)
        fclose(f);
    return sum;
}

#endif
