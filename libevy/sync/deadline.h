/* Absolute timeouts as the pthread functions take them. */
#ifndef EVY_SYNC_DEADLINE_H
#define EVY_SYNC_DEADLINE_H

#include "base/clock.h"

#include <errno.h>

/* Until when a wait may last. */
struct limit {
    clockid_t clock;           /* of at */
    const struct timespec *at; /* NULL: for ever */
};

#define NO_LIMIT ((struct limit){0, NULL})

/* The clocks that pthread_*_clock* accept. */
static inline bool limit_clock_ok(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

/* Returns 0 or EINVAL. Seconds before the epoch are no error: they have passed. */
static inline int limit_deadline(struct limit l, deadline_t *out)
{
    *out = l.at ? 0 : DEADLINE_NEVER;
    if (l.at == NULL)
        return 0;
    if (l.at->tv_nsec < 0 || l.at->tv_nsec >= NSEC_PER_SEC)
        return EINVAL;
    return l.at->tv_sec < 0 ? 0 : -deadline_from_abs(l.clock, l.at, out);
}

#endif
