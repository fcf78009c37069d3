/* Time below the public edge: a deadline is an absolute CLOCK_MONOTONIC time in nanoseconds. */
#ifndef EVY_CLOCK_H
#define EVY_CLOCK_H

#include "base/base.h"

#include <sys/time.h>
#include <time.h>

typedef int64_t deadline_t;

#define DEADLINE_NEVER INT64_MAX
#define NSEC_PER_SEC INT64_C(1000000000)

/* Monotonic now. Never 0. */
int64_t clock_now(void);

/* The same to some milliseconds, at a fraction of the cost. */
int64_t clock_coarse(void);

/* now + ns; saturates to DEADLINE_NEVER; ns < 0 counts as 0. */
deadline_t deadline_after(int64_t ns);

bool timespec_valid(const struct timespec *ts); /* tv_nsec in range and tv_sec >= 0 */

/* Saturating conversions of a duration. The argument is valid. */
int64_t timespec_to_ns(const struct timespec *ts);
int64_t timeval_to_ns(const struct timeval *tv);
struct timespec ns_to_timespec(int64_t ns); /* ns < 0 gives 0 */

/* The deadline that an absolute time of the given clock (realtime, monotonic, boottime, tai) means.
   A NULL ts means DEADLINE_NEVER. A deadline on CLOCK_REALTIME is converted once: a later step of
   the wall clock is not followed. Sets *out and returns 0, or -EINVAL for a bad clock or bad ts. */
int deadline_from_abs(clockid_t clock, const struct timespec *ts, deadline_t *out);

/* Relative timeouts: NULL means never; -EINVAL when invalid. */
int deadline_from_rel(const struct timespec *ts, deadline_t *out);

/* What is left until the deadline, 0 when it has passed, DEADLINE_NEVER for DEADLINE_NEVER. */
int64_t deadline_left(deadline_t d);

#endif
