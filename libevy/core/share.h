/* Work sharing: a hub that has more to do than it gets done gives ready green threads to one that sleeps. The giver's
   carrier does it, so that run queues, timers and park words stay single-owner; g->hub changes while g is in the
   giver's run queue, and whoever asked the old hub for it is sent on. */
#ifndef EVY_SHARE_H
#define EVY_SHARE_H

#include "core/hub.h"

/* The hub for a new free green thread: the caller's, where it is found at once by who waits for it, unless others
   are ready there and another hub has nothing to do. */
struct hub *share_hub_for_new(void);

/* On h's carrier, which is about to sleep, or has slept. */
void share_sleeps(struct hub *h);
static inline void share_woke(struct hub *h, int64_t now)
{
    h->busy_from = atomic_load_explicit(&h->switches, memory_order_relaxed);
    atomic_store_explicit(&h->busy_since, now, memory_order_relaxed);
}

/* The hub that g, parked on h and woken just now from another, is to go to instead of running here; else NULL: a few
   times in a row the two hubs have done little more between two sleeps than wake each other. */
struct hub *share_follows(struct hub *h, struct green *g);

/* g, of h and in no queue, is ready to run and goes to another hub. On h's carrier. */
void share_give(struct hub *h, struct green *g, struct hub *to);

EVY_COLD void share_ready(struct hub *h, int64_t now);

/* On h's loop: gives away what suits. */
static inline void share(struct hub *h, int64_t now)
{
    if (likely(hub_count == 1))
        return;
    if (h->runnable.first && (h->runnable.first->next || h->abandoned || h->load.to))
        share_ready(h, now);
}

#endif
