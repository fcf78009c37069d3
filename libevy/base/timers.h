/* A hub's timers: a 4-ary heap ordered by deadline, first in first out among equal ones. Touched only by
   the hub's carrier. */
#ifndef EVY_TIMERS_H
#define EVY_TIMERS_H

#include "base/base.h"
#include "base/clock.h"

struct timer {
    deadline_t at; /* when it fires */
    size_t index;  /* place in the heap plus one, 0 when not armed */
    void (*fire)(
        struct timer *); /* called then on the hub's loop; NULL: that of a parked green thread */
};

/* What the heap compares lies in the heap: ordering 100,000 sleepers touches none of them. */
struct timer_slot {
    deadline_t at;       /* copy of timer->at */
    uint64_t order;      /* breaks ties: counts up over a hub's life */
    struct timer *timer; /* whose index is this slot's number plus one */
};

struct timers {
    struct timer_slot *heap; /* mmap'ed, grows by doubling */
    size_t count;            /* armed timers */
    size_t capacity;         /* slots mapped */
    uint64_t order;          /* next tie breaker */
};

/* Arms t for at; it is not armed. Returns 0 or -ENOMEM. */
int timers_add(struct timers *ts, struct timer *t, deadline_t at);

/* Disarms t; no effect when it is not armed. */
void timers_remove(struct timers *ts, struct timer *t);

/* The earliest deadline, DEADLINE_NEVER when none is armed. */
static inline deadline_t timers_next(const struct timers *ts)
{
    return ts->count ? ts->heap[0].at : DEADLINE_NEVER;
}

/* Disarms and returns the earliest timer when it is due at now, else NULL. */
struct timer *timers_pop(struct timers *ts, int64_t now);

#endif
