/* What both scale programs measure with. */
#ifndef BENCH_SCALE_H
#define BENCH_SCALE_H

#include <stdio.h>
#include <time.h>

/* CPU time of the process, in ns. */
static inline double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Resident and page tables, in bytes. */
static inline long memory(void)
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
