#include "base/clock.h"

#include <errno.h>

#define SEC_MAX (INT64_MAX / NSEC_PER_SEC - 1) /* seconds that still fit with their fraction */

static int64_t clock_read(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return timespec_to_ns(&ts);
}

int64_t clock_now(void)
{
    return clock_read(CLOCK_MONOTONIC) | 1;
}

int64_t clock_coarse(void)
{
    return clock_read(CLOCK_MONOTONIC_COARSE) | 1;
}

deadline_t deadline_after(int64_t ns)
{
    deadline_t d;
    if (ns < 0)
        ns = 0;
    return __builtin_add_overflow(clock_now(), ns, &d) ? DEADLINE_NEVER : d;
}

bool timespec_valid(const struct timespec *ts)
{
    return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < NSEC_PER_SEC;
}

int64_t timespec_to_ns(const struct timespec *ts)
{
    return ts->tv_sec > SEC_MAX ? INT64_MAX : ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

int64_t timeval_to_ns(const struct timeval *tv)
{
    return tv->tv_sec > SEC_MAX ? INT64_MAX : tv->tv_sec * NSEC_PER_SEC + tv->tv_usec * 1000;
}

struct timespec ns_to_timespec(int64_t ns)
{
    if (ns < 0)
        ns = 0;
    return (struct timespec){.tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC};
}

/* Only clocks whose time passes as fast as the monotonic one: a CPU clock has no such deadline. */
static bool clock_known(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_TAI;
}

int deadline_from_abs(clockid_t clock, const struct timespec *ts, deadline_t *out)
{
    if (!clock_known(clock) || (ts && !timespec_valid(ts)))
        return -EINVAL;
    int64_t at = ts ? timespec_to_ns(ts) : INT64_MAX;
    if (at == INT64_MAX || clock == CLOCK_MONOTONIC)
        *out = at;
    else
        *out = deadline_after(at - clock_read(clock));
    return 0;
}

int deadline_from_rel(const struct timespec *ts, deadline_t *out)
{
    if (ts && !timespec_valid(ts))
        return -EINVAL;
    *out = ts ? deadline_after(timespec_to_ns(ts)) : DEADLINE_NEVER;
    return 0;
}

int64_t deadline_left(deadline_t d)
{
    if (d == DEADLINE_NEVER)
        return DEADLINE_NEVER;
    int64_t left = d - clock_now();
    return left > 0 ? left : 0;
}
