/* The parking lot: the green futex that all waits are built on. Waiters wait at addresses; green threads
   and kernel threads that libevy does not run (self() == NULL) may wait at the same address.
   Buckets are locked by a spin lock, which may nest inside nothing and is never held over a call out. */
#ifndef EVY_LOT_H
#define EVY_LOT_H

#include "base/base.h"
#include "base/clock.h"
#include "base/list.h"

#include <stdatomic.h>

struct green;

enum lot_flags {
    LOT_CANCEL = 1, /* the wait is a cancellation point: -ECANCELED when asked to */
    LOT_SIGNAL = 2, /* the wait ends with -EINTR when a handler must run: the caller runs it */
    LOT_RAISE = 8,  /* the wait ends with -ERAISED when an error waits: raise_take() says which */
    LOT_ALL = 4,    /* the waiter consumes nothing: lot_unpark(n) wakes it beside its n */
    LOT_UNWIND =
        32, /* and one of a kernel thread, which glibc unwinds from there: the caller cleans up */
    LOT_STARVING = 16, /* who wakes it stands aside, so that it finds what it was woken for */
};

/* The woken race with whoever passes. Green threads of one hub lose that race each time to an owner that parks only
   inside, so whoever has lost that often waits with LOT_STARVING. */
#define LOT_PATIENCE 2

static inline unsigned lot_starving(unsigned lost)
{
    return unlikely(lost >= LOT_PATIENCE) ? LOT_STARVING : 0;
}

/* What is waited for, in the flags too: for observers only. X(name, text). */
#define LOT_KINDS(X)                                                                               \
    X(OTHER, "other")                                                                              \
    X(MUTEX, "mutex")                                                                              \
    X(COND, "condition")                                                                           \
    X(RWLOCK, "rwlock")                                                                            \
    X(SEM, "semaphore")                                                                            \
    X(BARRIER, "barrier")                                                                          \
    X(ONCE, "once")                                                                                \
    X(FUTEX, "futex")                                                                              \
    X(JOIN, "end of thread")                                                                       \
    X(FD, "descriptor")                                                                            \
    X(TURN, "turn to write")                                                                       \
    X(STREAM, "stream")                                                                            \
    X(SLEEP, "sleep")                                                                              \
    X(SIGWAIT, "signal")                                                                           \
    X(CHILD, "child process")                                                                      \
    X(API, "event, lock or queue")

#define LOT_KIND_SHIFT 8

enum lot_kind_index {
#define X(name, text) LOT_INDEX_##name,
    LOT_KINDS(X)
#undef X
};

enum lot_kind {
#define X(name, text) LOT_##name = LOT_INDEX_##name << LOT_KIND_SHIFT,
    LOT_KINDS(X)
#undef X
};

/* waiter->woken. The waker is done with the waiter and its green thread only at WOKEN: whoever sees
   WAKING must not let either of them vanish. */
enum { NOT_WOKEN, WAKING, WOKEN };

struct waiter {
    struct list node;           /* in a bucket while queued; bucket lock */
    _Atomic(const void *) addr; /* where it waits; written under the bucket lock */
    struct green *green;        /* who waits; NULL: a kernel thread sleeping on woken */
    uint32_t bits;              /* FUTEX_WAIT_BITSET mask */
    unsigned flags;             /* LOT_* */
    atomic_uint woken;          /* set once, under the bucket lock; the kernel thread's futex */
    uint64_t mask;              /* a kernel thread's: what it blocked before the section it is in */
};

/* Waits while *addr == expected. Returns 0 when woken, -EAGAIN when the value differs, -ETIMEDOUT,
   -ECANCELED, -EINTR, -ERAISED (by flags), -ENOMEM. */
int lot_park(const atomic_uint *addr, uint32_t expected, deadline_t deadline, unsigned flags);
int lot_park_bits(const atomic_uint *addr, uint32_t expected, uint32_t bits, deadline_t deadline,
                  unsigned flags);

/* Waits for nothing but the deadline: -ETIMEDOUT, -ECANCELED, -EINTR, -ERAISED. Only for green threads. */
int lot_sleep(deadline_t deadline);

/* Wakes up to count waiters at addr, oldest first, and every LOT_ALL one. Returns how many of the counted.
   Nearly free when nobody waits in the address's bucket. The caller has changed the word before. */
unsigned lot_unpark(const void *addr, unsigned count);

/* The same without a fence of its own: the caller's change was an atomic read-modify-write with
   memory_order_seq_cst, or what it changed is protected by a lock that waiters hold over lot_enqueue. */
unsigned lot_unpark_fenced(const void *addr, unsigned count);
unsigned lot_unpark_bits(const void *addr, unsigned count, uint32_t bits);

/* After a section of the caller's in which it has unparked: lets a starving waiter run now, if one was woken. */
void lot_stand_aside(void);

/* These addresses will be unparked soon. Brings into the cache what that takes: misses on the way to a waiter depend on
   each other, those of all n together, LOT_EXPECT_MOST at most, are waited for once a step. */
#define LOT_EXPECT_MOST 48
void lot_expect(const void *const *addrs, int n);

/* Wakes up to wake waiters at from and moves up to move of the others to to. Returns woken + moved, or
   -EAGAIN when expected is given and *from differs. */
int lot_requeue(const atomic_uint *from, const void *to, unsigned wake, unsigned move,
                const uint32_t *expected);

/* For a condition variable: queue first, then unlock what protects the condition, then wait.
   Every lot_enqueue is followed by one lot_wait or one lot_leave; up to then the green thread is in a
   critical section (critical.h). */
void lot_enqueue(struct waiter *w, const void *addr, unsigned flags);
int lot_wait(struct waiter *w, deadline_t deadline); /* as lot_park, without -EAGAIN */

/* Takes w out of the queue. Returns true when it was still queued, false when it has been woken: then the
   wake-up was used up and is the caller's to hand on. */
bool lot_leave(struct waiter *w);

/* A handler that ran in the middle of w's wait will not return: nobody waits there any more, and who has been woken in
   vain hands that on. */
void lot_abandon(struct waiter *w);

/* Waits at n addresses at once (poll): all are queued already; returns when any was woken, or as lot_wait.
   The caller leaves them all afterwards. Only for green threads. */
int lot_wait_any(struct waiter *w, unsigned n, deadline_t deadline);

/* Several kernel threads are about to use the lot at once (bucket.h). Any thread. */
void lot_share(void);

/* How many wait at addr, for listings; the first max of their green threads (NULL: a kernel thread) in greens. */
unsigned lot_waiters(const void *addr, struct green **greens, unsigned max);

/* Whether somebody waits at addr who consumes what he is woken for. Nearly free as long as nobody does. */
bool lot_awaited(const void *addr);

/* Called by a waiting green thread that is marked INTERRUPT_REPORT; NULL until somebody marks one. */
extern void (*lot_report)(const struct waiter *w);

/* In the child of a fork: forgets all waiters, whose threads are gone. */
void lot_after_fork(void);

#endif
