/* A spinlock for sections of a few instructions that never park. A carrier that loses the CPU while
   it holds one is waited out with sched_yield, so it also works with more hubs than CPUs. */
#ifndef EVY_SPIN_H
#define EVY_SPIN_H

#include "base/base.h"

#include <stdatomic.h>

struct spin {
    atomic_uint held; /* 1 while locked */
};

void spin_lock_slow(struct spin *s);

static inline void spin_lock(struct spin *s)
{
    if (unlikely(atomic_exchange_explicit(&s->held, 1, memory_order_acquire)))
        spin_lock_slow(s);
}

static inline void spin_unlock(struct spin *s)
{
    atomic_store_explicit(&s->held, 0, memory_order_release);
}

/* Around fork, so that the child finds what the lock protects whole. */
static inline void spin_fork(struct spin *s, bool take)
{
    if (take)
        spin_lock(s);
    else
        spin_unlock(s);
}

#endif
