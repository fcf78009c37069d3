/* The parking lot's waiting side. */
#include "core/bucket.h"

#include "base/log.h"
#include "base/sys.h"
#include "body/critical.h"
#include "core/raise.h"
#include "core/sched.h"
#include "cpu.h"

#include <errno.h>

/* From here to waiter_done handlers run only where the wait lets them: none finds a bucket locked. */
static inline void waiter_init(struct waiter *w, const void *addr, uint32_t bits, unsigned flags)
{
    struct green *me = self();
    lot_come(me);
    if (likely(me != NULL))
        critical_enter_as(me);
    else
        w->mask = foreign_enter();
    atomic_store_explicit(&w->addr, addr, memory_order_relaxed);
    w->green = me;
    w->bits = bits;
    w->flags = flags;
    atomic_store_explicit(&w->woken, NOT_WOKEN, memory_order_relaxed);
}

/* The wait has ended with r and w is in no queue. With -EINTR the caller runs the handlers. */
static inline int waiter_done(struct waiter *w, int r)
{
    if (likely(w->green != NULL))
        critical_leave_wait(w->green, r);
    else
        foreign_leave(w->mask);
    return r;
}

void lot_enqueue(struct waiter *w, const void *addr, unsigned flags)
{
    struct bucket *b = bucket_of(addr);
    waiter_init(w, addr, FUTEX_BITSET_MATCH_ANY, flags);
    bucket_lock(b);
    bucket_insert(b, w);
    bucket_unlock(b, 1);
}

/* The bucket w waits in, locked. A requeue may move w while we look. */
static struct bucket *lock_bucket_of(struct waiter *w)
{
    for (;;) {
        const void *addr = waiter_addr(w);
        struct bucket *b = bucket_of(addr);
        bucket_lock(b);
        if (likely(waiter_addr(w) == addr))
            return b;
        bucket_unlock(b, 0);
    }
}

static bool unqueue(struct waiter *w)
{
    struct bucket *b = lock_bucket_of(w);
    bool queued = atomic_load_explicit(&w->woken, memory_order_relaxed) == NOT_WOKEN;
    if (queued)
        list_remove(&w->node);
    bucket_unlock(b, queued ? -1 : 0);
    return queued;
}

bool lot_leave(struct waiter *w)
{
    bool queued = unqueue(w);
    waiter_done(w, 0);
    return queued;
}

static EVY_COLD void let_finish(struct waiter *w)
{
    for (int i = 0; atomic_load_explicit(&w->woken, memory_order_acquire) == WAKING; i++) {
        if (i < LOCK_SPINS)
            cpu_relax();
        else
            sys_yield();
    }
}

/* Whether w has been woken and the waker is done with it. */
static inline bool woken(struct waiter *w)
{
    unsigned state = atomic_load_explicit(&w->woken, memory_order_acquire);
    if (unlikely(state == WAKING))
        let_finish(w);
    return state != NOT_WOKEN;
}

void (*lot_report)(const struct waiter *w);

static EVY_COLD int interruption_slow(struct waiter *w, unsigned why)
{
    struct green *g = w->green;
    unsigned flags = w->flags;
    if (why & INTERRUPT_LOOP)
        return flags & (LOT_CANCEL | LOT_SIGNAL | LOT_RAISE) ? -EDEADLK : 0;
    if (why & INTERRUPT_REPORT) {
        atomic_fetch_and(&g->interrupted, ~(unsigned)INTERRUPT_REPORT);
        lot_report(w);
    }
    if ((flags & LOT_CANCEL) && (why & INTERRUPT_CANCEL) &&
        !(g->flags & (GREEN_CANCEL_OFF | GREEN_EXITING)))
        return -ECANCELED;
    if ((flags & LOT_RAISE) && (why & INTERRUPT_RAISE))
        return -ERAISED;
    if (!(flags & LOT_SIGNAL) || !(why & INTERRUPT_SIGNAL))
        return 0;
    return signal_hooks.due == NULL || signal_hooks.due(g) ? -EINTR : 0;
}

static inline int interruption(struct waiter *w)
{
    unsigned why = atomic_load_explicit(&w->green->interrupted, memory_order_acquire);
    return likely(why == 0) ? 0 : interruption_slow(w, why);
}

/* Waits that signals do not end run the handlers in the middle. */
static void run_handlers(struct waiter *w)
{
    struct green *g = w->green;
    if (w->flags & LOT_SIGNAL)
        return;
    owned_set(&g->amid, w);
    critical_leave_as(g);
    critical_enter_as(g);
    owned_set(&g->amid, NULL);
}

void lot_abandon(struct waiter *w)
{
    critical_enter_as(w->green);
    bool queued = unqueue(w);
    if (!queued)
        woken(w);
    critical_leave_as(w->green);
    if (!queued && !(w->flags & LOT_ALL))
        lot_unpark(waiter_addr(w), 1);
}

/* Asynchronous cancellation ends a thread in the middle of any wait: in no queue, unless it was woken first. */
static EVY_COLD void end_in_wait(struct waiter *w)
{
    if (!unqueue(w))
        return;
    atomic_fetch_or(&w->green->interrupted, INTERRUPT_SIGNAL);
    critical_leave_as(w->green);
    check(!"cancelled, but still there");
}

static void end_if_cancelled(struct waiter *w)
{
    const struct green *g = w->green;
    if (atomic_load_explicit(&g->interrupted, memory_order_relaxed) & INTERRUPT_CANCEL &&
        g->flags & GREEN_CANCEL_ASYNC && !(g->flags & (GREEN_CANCEL_OFF | GREEN_EXITING)) &&
        !(w->flags & LOT_CANCEL) && g->critical == 1 && signal_hooks.deliver)
        end_in_wait(w);
}

/* Something waits for the green thread that is about to park, or has come back. */
static EVY_COLD void look_up(struct waiter *w)
{
    end_if_cancelled(w);
    run_handlers(w);
}

static inline bool passed(deadline_t deadline)
{
    return deadline != DEADLINE_NEVER && deadline_left(deadline) == 0;
}

/* Whether the wait is over before it begins. Who waits again and again so must not keep the others of its hub from
   running: they get their turn here, where w is queued and what the program gave up for the wait is free. Natively a
   sleep ends its turn however short it is. */
static inline bool came_late(deadline_t deadline, unsigned flags)
{
    if (likely(!passed(deadline)))
        return false;
    if (flags & LOT_SLEEP)
        sched_yield_now();
    else
        sched_tick();
    return true;
}

/* Who has been woken before it parks is not suspended, or at once made ready again. */
static inline int green_wait(struct waiter *w, deadline_t deadline)
{
    const struct green *g = w->green;
    bool late = came_late(deadline, w->flags);
    for (;;) {
        int r = 0;
        if (unlikely(atomic_load_explicit(&g->interrupted, memory_order_relaxed))) {
            look_up(w);
            if (woken(w)) /* while a handler waited, which has had the wake-up for one of its own */
                return 0;
            r = interruption(w);
        }
        if (r == 0)
            r = late ? -ETIMEDOUT : sched_park(deadline);
        if (likely(woken(w)))
            return 0;
        if (r < 0)
            return unqueue(w) ? r : 0;
    }
}

static EVY_INLINE int wait_and_leave(struct waiter *w, deadline_t deadline)
{
    return likely(w->green != NULL) ? waiter_done(w, green_wait(w, deadline))
                                    : lot_foreign_wait(w, deadline);
}

int lot_wait(struct waiter *w, deadline_t deadline)
{
    return wait_and_leave(w, deadline);
}

int lot_wait_any(struct waiter *w, unsigned n, deadline_t deadline)
{
    bool late = came_late(deadline, 0);
    for (int r = 0;;) {
        for (unsigned i = 0; i < n; i++) {
            if (woken(&w[i]))
                return 0;
        }
        if (r < 0)
            return r;
        r = interruption(w);
        if (r == 0)
            r = late ? -ETIMEDOUT : sched_park(deadline);
    }
}

int lot_park_bits(const atomic_uint *addr, uint32_t expected, uint32_t bits, deadline_t deadline,
                  unsigned flags)
{
    struct waiter w;
    if (atomic_load_explicit(addr, memory_order_relaxed) !=
        expected) /* a bad address faults unlocked */
        return -EAGAIN;
    struct bucket *b = bucket_of(addr);
    waiter_init(&w, addr, bits, flags);
    bucket_lock(b);
    if (atomic_load(addr) != expected) {
        bucket_unlock(b, 0);
        return waiter_done(&w, -EAGAIN);
    }
    bucket_insert(b, &w);
    bucket_unlock(b, 1);
    return wait_and_leave(&w, deadline);
}

int lot_park(const atomic_uint *addr, uint32_t expected, deadline_t deadline, unsigned flags)
{
    return lot_park_bits(addr, expected, FUTEX_BITSET_MATCH_ANY, deadline, flags);
}

int lot_sleep(deadline_t deadline)
{
    const atomic_uint word = 0; /* on this stack: nobody else knows the address */
    int r;
    do
        r = lot_park(&word, 0, deadline, LOT_CANCEL | LOT_SIGNAL | LOT_RAISE | LOT_SLEEP);
    while (r == 0);
    return r;
}
