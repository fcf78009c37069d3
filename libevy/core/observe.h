/* What is measured while somebody asks for it: EVY_TRACE, EVY_STATS, or the program for a thread's CPU clock. One byte
   tells, so that a switch pays for one test. */
#ifndef EVY_OBSERVE_H
#define EVY_OBSERVE_H

#include "base/base.h"

#include <stdint.h>

struct green;
struct hub;

enum {
    OBSERVE_TRACE = 1,  /* trace.h */
    OBSERVE_STATS = 2,  /* stats.h */
    OBSERVE_TOOLS = 4,  /* annotate.h: about stacks */
    OBSERVE_FIBERS = 8, /* annotate.h: about switches and wake-ups, for ThreadSanitizer */
    OBSERVE_CPU = 16,   /* cputime.h */
    OBSERVE_SWITCHES = OBSERVE_TRACE | OBSERVE_STATS | OBSERVE_FIBERS | OBSERVE_CPU,
};

/* Written while the hubs are made, and in a forked child; OBSERVE_CPU at any time, and
   whoever sees it late is late. */
extern uint8_t observed;

static inline bool observes(unsigned what)
{
    return unlikely(observed & what);
}

/* h's carrier is about to switch from one to the other. */
EVY_COLD void observe_switch(struct hub *h, struct green *from, struct green *to);

#endif
