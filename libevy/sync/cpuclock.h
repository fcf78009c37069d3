/* CPU clocks of threads. Ids are the kernel's: its bits around the complement of the thread's id, which for a green thread
   is the one that gettid tells. */
#ifndef EVY_CPUCLOCK_H
#define EVY_CPUCLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

/* Whether clock is some thread's CPU clock. */
static inline bool is_cpuclock(clockid_t clock)
{
    return clock == CLOCK_THREAD_CPUTIME_ID || (clock < 0 && (clock & 7) == 6);
}

/* Whether clock is the calling green thread's. */
bool is_own_cpuclock(clockid_t clock);

/* The time of a green thread's CPU clock, -1 when clock is none or the thread has ended. */
int64_t cpuclock_read(clockid_t clock);

int evy_pthread_getcpuclockid(pthread_t thread, clockid_t *clock);
int evy_clock_gettime(clockid_t clock, struct timespec *ts);
int evy_clock_getres(clockid_t clock, struct timespec *ts);
int evy_getrusage(__rusage_who_t who, struct rusage *usage);

#endif
