/* What sched.c and loop.c share. All on the carrier of the hub, in a critical section. */
#ifndef EVY_SCHED_INTERNAL_H
#define EVY_SCHED_INTERNAL_H

#include "core/hub.h"
#include "core/sched.h"
#include "core/trace.h"

/* Continues `to`. Returns when somebody continues `from`, which may then be on another carrier: nothing
   read before may be believed after. */
void sched_switch_to(struct green *from, struct green *to);

/* The next green thread of h, or its loop when it is time to poll or there is none. */
struct green *sched_pick(struct hub *h);

/* Makes g, of h, runnable, or its next park return at once. */
static inline void sched_wake(struct hub *h, struct green *g)
{
    bool parked = g->wake == WAKE_PARKED;
    g->wake = WAKE_NOTIFIED;
    if (!parked)
        return;
    trace(h, TRACE_WAKE, g);
    run_queue_push(&h->runnable, g);
}

/* Does what others have asked for h's green threads. */
void sched_take_inbox(struct hub *h);

/* Whether somebody with more than that priority is ready. */
static inline bool sched_has_ready(const struct hub *h, int than)
{
    const struct inbox_node *first = h->runnable.first;
    return first && container_of(first, struct green, link)->priority > than;
}

/* For a counter that only the caller writes. */
static inline void count(atomic_uint *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_release);
}

/* Whether g, the running one, may let others run when it leaves the section it is in. */
static inline bool sched_may_yield(const struct green *g)
{
    return g->critical == 1 && !g->handlers && !(g->flags & GREEN_LOOP);
}

/* Whether one with a higher priority is ready, for which it should. */
static inline bool sched_outranked(const struct green *g)
{
    return unlikely(sched_has_ready(g->hub, g->priority)) && sched_may_yield(g) &&
           !(g->flags & GREEN_COOP);
}

#endif
