/* Green sleeps. */
#include "io/calls.h"

#include "arch/probe.h"
#include "base/clock.h"
#include "core/lot.h"
#include "core/sched.h"
#include "io/io.h"
#include "real/real.h"
#include "sync/cancel.h"
#include "sync/cpuclock.h"

#include <errno.h>

/* Parks until the deadline. Returns 0 or -EINTR. SA_RESTART does not restart sleeps (signal(7)). */
static long sleep_until(deadline_t deadline)
{
    cancel_point();
    long r = lot_sleep(deadline);
    if (r == -EINTR) {
        interrupted(r);
        return r;
    }
    r = interrupted(r);
    return r == -ETIMEDOUT ? 0 : r;
}

static long sleep_for(const struct timespec *duration, struct timespec *left)
{
    if (!timespec_valid(duration))
        return -EINVAL;
    deadline_t deadline = deadline_after(timespec_to_ns(duration));
    long r = sleep_until(deadline);
    if (r < 0 && left) {
        if (!probe(left, sizeof *left))
            return -EFAULT;
        *left = ns_to_timespec(deadline_left(deadline));
    }
    return r;
}

int evy_nanosleep(const struct timespec *duration, struct timespec *left)
{
    if (!self() || !probe(duration, sizeof *duration))
        return REAL(nanosleep)(duration, left);
    return (int)errno_edge(sleep_for(duration, left));
}

#define CPU_LOOKS_NS 1000000

/* Until a thread's CPU clock says so: it goes no faster than the monotonic one. */
static long sleep_by_cpu(clockid_t clock, int64_t until)
{
    for (;;) {
        int64_t left = until - cpuclock_read(clock);
        if (left <= 0)
            return 0;
        long r = sleep_until(deadline_after(left < CPU_LOOKS_NS ? CPU_LOOKS_NS : left));
        if (r)
            return r;
    }
}

static long sleep_on_cpuclock(clockid_t clock, int flags, const struct timespec *when,
                              struct timespec *left)
{
    int64_t now = cpuclock_read(clock);
    if (!timespec_valid(when) || is_own_cpuclock(clock))
        return -EINVAL;
    bool absolute = flags & TIMER_ABSTIME;
    int64_t until = timespec_to_ns(when) + (absolute ? 0 : now);
    long r = sleep_by_cpu(clock, until);
    if (r < 0 && left && !absolute)
        *left = ns_to_timespec(until - cpuclock_read(clock));
    return r;
}

/* Answers the error itself, not errno. The process's CPU time is the kernel's business. */
int evy_clock_nanosleep(clockid_t clock, int flags, const struct timespec *when,
                        struct timespec *left)
{
    deadline_t deadline;
    if (!self() || !probe(when, sizeof *when))
        return REAL(clock_nanosleep)(clock, flags, when, left);
    if (is_cpuclock(clock) && cpuclock_read(clock) >= 0)
        return error_edge(sleep_on_cpuclock(clock, flags, when, left));
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME &&
        clock != CLOCK_TAI)
        return REAL(clock_nanosleep)(clock, flags, when, left);
    if (!(flags & TIMER_ABSTIME))
        return error_edge(sleep_for(when, left));
    if (deadline_from_abs(clock, when, &deadline))
        return EINVAL;
    return error_edge(sleep_until(deadline));
}

unsigned evy_sleep_seconds(unsigned seconds)
{
    struct timespec ts = {.tv_sec = seconds}, left = {0, 0};
    if (!self())
        return REAL(sleep)(seconds);
    long r = sleep_for(&ts, &left);
    errno_edge(r);
    if (r < 0)
        return (unsigned)left.tv_sec;
    return 0;
}

int evy_usleep(useconds_t usec)
{
    struct timespec ts = {.tv_sec = usec / 1000000, .tv_nsec = (long)(usec % 1000000) * 1000};
    if (!self())
        return REAL(usleep)(usec);
    return (int)errno_edge(sleep_for(&ts, NULL));
}
