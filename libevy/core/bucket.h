/* The buckets of the parking lot (lot.h), for its sides only: lot_wait.c, lot_foreign.c and lot.c. */
#ifndef EVY_BUCKET_H
#define EVY_BUCKET_H

#include "base/sys.h"
#include "body/green.h"
#include "core/lot.h"
#include "core/single.h"

#include <signal.h>
#include <stdint.h>

/* The lock and the number of waiters are one word. A waiter takes the lock before it reads the value it
   waits on, a waker changes the value before it reads this word: if the waker reads 0, the waiter will
   read the new value. So an unpark without waiters takes no lock, and neither side counts atomically. */
struct bucket {
    atomic_uint word; /* LOCKED | waiters * WAITER */
    struct list
        queue; /* LOT_ALL waiters first, then by priority, FIFO; all zero until first used; under the lock */
    uint64_t unused; /* two buckets per cache line */
};

/* While one carrier alone comes here, it locks with plain stores. Whoever comes from elsewhere first ends that
   for good (lot_share): it says so in shared, has the order of both sides' stores and loads forced by membarrier
   and waits until the carrier is in no bucket. */
struct lot_access {
    atomic_uint shared; /* LOT_ALONE, LOT_SHARING while somebody waits for inside, LOT_SHARED */
    atomic_uint inside; /* 1 while the lone carrier holds a bucket's lock; written by it only */
};

enum { LOT_ALONE, LOT_SHARING, LOT_SHARED };

extern struct lot_access lot_access;

/* The caller, me, is about to look at a bucket. */
static inline void lot_come(const struct green *me)
{
    if (unlikely(!me) && !single_threaded())
        lot_share();
}

#define LOCKED 1u
#define WAITER 2u

#define BUCKET_BITS 17
#define LOCK_SPINS 200 /* several times what the longest section takes */

extern struct bucket buckets[1 << BUCKET_BITS];

/* Words of one page have their buckets in one page, each 32 bytes one of its own: who waits for many neighbours, as for
   descriptors, needs few translations of addresses. Same places in different pages are scattered over all buckets. */
static inline struct bucket *bucket_of(const void *addr)
{
    uint64_t page = ((uintptr_t)addr >> 12) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BUCKET_BITS);
    return &buckets[page ^ ((uintptr_t)addr >> 5 & 127)];
}

/* Whether the caller may lock plainly; then inside is 1. */
static inline bool lot_alone(void)
{
    if (unlikely(atomic_load_explicit(&lot_access.shared, memory_order_relaxed)))
        return false;
    atomic_store_explicit(&lot_access.inside, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (likely(!atomic_load_explicit(&lot_access.shared, memory_order_relaxed)))
        return true;
    atomic_store_explicit(&lot_access.inside, 0, memory_order_release);
    return false;
}

static inline bool bucket_try(struct bucket *b)
{
    unsigned word = atomic_load_explicit(&b->word, memory_order_relaxed) & ~LOCKED;
    if (likely(lot_alone())) {
        atomic_store_explicit(&b->word, word | LOCKED, memory_order_relaxed);
        return true;
    }
    return atomic_compare_exchange_weak(&b->word, &word, word | LOCKED);
}

EVY_COLD void bucket_lock_slow(struct bucket *b);

/* The critical section of a kernel thread that libevy does not run: handlers wait in the kernel. Returns what
   foreign_leave needs. */
static inline uint64_t foreign_enter(void)
{
    const uint64_t all = ~UINT64_C(0);
    return sys_sigmask(SIG_SETMASK, &all);
}

static inline void foreign_leave(uint64_t mask)
{
    sys_sigmask(SIG_SETMASK, &mask);
}

/* w, in its queue, waits until the deadline, and ends the section. As lot_wait. */
EVY_COLD int lot_foreign_wait(struct waiter *w, deadline_t deadline);

/* After lot_come, in a critical section: a signal handler may post a semaphore, so none runs while a bucket is locked. */
static inline void bucket_lock(struct bucket *b)
{
    if (unlikely(!bucket_try(b)))
        bucket_lock_slow(b);
    if (unlikely(b->queue.next == NULL))
        list_init(&b->queue);
}

/* Unlocks; added waiters came or, negative, went. While locked nobody else changes the word. */
static inline void bucket_unlock(struct bucket *b, int added)
{
    unsigned word = atomic_load_explicit(&b->word, memory_order_relaxed);
    atomic_store_explicit(&b->word, word - LOCKED + (unsigned)added * WAITER, memory_order_release);
    if (likely(atomic_load_explicit(&lot_access.inside, memory_order_relaxed)))
        atomic_store_explicit(&lot_access.inside, 0, memory_order_release);
}

/* Before those that have a lower priority. */
EVY_COLD void bucket_insert_ranked(struct bucket *b, struct waiter *w);

static inline void bucket_insert(struct bucket *b, struct waiter *w)
{
    if (unlikely(w->green && w->green->priority > 0) && !(w->flags & LOT_ALL)) {
        bucket_insert_ranked(b, w);
        return;
    }
    /* list_append before the first node prepends: all LOT_ALL waiters are found without a walk */
    list_append(w->flags & LOT_ALL ? b->queue.next : &b->queue, &w->node);
}

static inline const void *waiter_addr(const struct waiter *w)
{
    return atomic_load_explicit(&w->addr, memory_order_relaxed);
}

#endif
