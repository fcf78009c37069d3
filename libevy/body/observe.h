/* What a switch does only where somebody has asked for it: EVY_TRACE, EVY_STATS, or the program for a thread's CPU clock or
   for a segment base of its own, or where there are too many green threads for the caches. One byte tells, so that a
   switch pays for one test. */
#ifndef EVY_OBSERVE_H
#define EVY_OBSERVE_H

#include "base/base.h"

#include <stdint.h>

enum {
    OBSERVE_TRACE = 1,    /* trace.h */
    OBSERVE_STATS = 2,    /* stats.h */
    OBSERVE_TOOLS = 4,    /* annotate.h: about stacks */
    OBSERVE_FIBERS = 8,   /* annotate.h: about switches and wake-ups, for ThreadSanitizer */
    OBSERVE_CPU = 16,     /* cputime.h */
    OBSERVE_SEGMENT = 32, /* arch/<cpu>/segment.h: it follows its green thread */
    OBSERVE_CROWD = 64,   /* sched_expect_crowd: what comes next is fetched ahead */
    OBSERVE_SWITCHES = OBSERVE_TRACE | OBSERVE_STATS | OBSERVE_FIBERS | OBSERVE_CPU |
                       OBSERVE_SEGMENT | OBSERVE_CROWD,
};

/* Written while the hubs are made, and in a forked child; OBSERVE_CPU, OBSERVE_SEGMENT and OBSERVE_CROWD at
   any time, and whoever sees them late is late. */
extern uint8_t observed;

static inline bool observes(unsigned what)
{
    return unlikely(observed & what);
}

static inline void observe_from_now(unsigned what)
{
    __atomic_fetch_or(&observed, (uint8_t)what, __ATOMIC_RELAXED);
}

#endif
