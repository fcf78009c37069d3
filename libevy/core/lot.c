#include "core/lot.h"

#include "base/log.h"
#include "base/sys.h"
#include "core/critical.h"
#include "core/sched.h"
#include "core/single.h"
#include "cpu.h"

#include <errno.h>
#include <sys/mman.h>

/* The lock and the number of waiters are one word. A waiter takes the lock before it reads the value it
   waits on, a waker changes the value before it reads this word: if the waker reads 0, the waiter will
   read the new value. So an unpark without waiters takes no lock, and neither side counts atomically. */
struct bucket {
    atomic_uint word;  /* LOCKED | waiters * WAITER */
    struct list queue; /* FIFO, LOT_ALL waiters first; all zero until first used; under the lock */
    uint64_t unused;   /* two buckets per cache line */
};

#define LOCKED 1u
#define WAITER 2u

#define BUCKET_BITS 17
#define PAGE 4096
#define LOCK_SPINS 200 /* several times what the longest section takes */

static struct bucket buckets[1 << BUCKET_BITS] __attribute__((aligned(PAGE)));

static struct bucket *bucket_of(const void *addr)
{
    return &buckets[((uintptr_t)addr >> 2) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BUCKET_BITS)];
}

static bool bucket_try(struct bucket *b)
{
    unsigned word = atomic_load_explicit(&b->word, memory_order_relaxed) & ~LOCKED;
    if (single_threaded()) {
        atomic_store_explicit(&b->word, word | LOCKED, memory_order_relaxed);
        return true;
    }
    return atomic_compare_exchange_weak(&b->word, &word, word | LOCKED);
}

static EVY_COLD void bucket_lock_slow(struct bucket *b)
{
    for (;;) {
        for (int i = 0; i < LOCK_SPINS; i++) {
            if (bucket_try(b))
                return;
            cpu_relax();
        }
        sys_yield(); /* the holder has lost its CPU, perhaps to us */
    }
}

/* In a critical section: a signal handler may post a semaphore, so none runs while a bucket is locked. */
static void bucket_lock(struct bucket *b)
{
    if (unlikely(!bucket_try(b)))
        bucket_lock_slow(b);
    if (unlikely(b->queue.next == NULL))
        list_init(&b->queue);
}

/* Unlocks; added waiters came or, negative, went. While locked nobody else changes the word. */
static void bucket_unlock(struct bucket *b, int added)
{
    unsigned word = atomic_load_explicit(&b->word, memory_order_relaxed);
    atomic_store_explicit(&b->word, word - LOCKED + (unsigned)added * WAITER, memory_order_release);
}

static void bucket_insert(struct bucket *b, struct waiter *w)
{
    /* list_append before the first node prepends: all LOT_ALL waiters are found without a walk */
    list_append(w->flags & LOT_ALL ? b->queue.next : &b->queue, &w->node);
}

/* The bucket lock is held; afterwards neither w nor its green thread may be touched. */
static void wake(struct waiter *w)
{
    struct green *g = w->green;
    list_remove(&w->node);
    if (likely(g != NULL)) {
        atomic_store_explicit(&w->woken, WAKING, memory_order_relaxed);
        sched_unpark(g);
        atomic_store_explicit(&w->woken, WOKEN, memory_order_release);
    } else {
        const atomic_uint *word = &w->woken;
        atomic_store_explicit(&w->woken, WOKEN, memory_order_release);
        sys_futex_wake(word, 1); /* the waiter may be gone: then this wakes nobody, or spuriously */
    }
}

/* From here to waiter_done handlers run only where the wait lets them: none finds a bucket locked. */
static void waiter_init(struct waiter *w, const void *addr, uint32_t bits, unsigned flags)
{
    critical_enter();
    atomic_store_explicit(&w->addr, addr, memory_order_relaxed);
    w->green = self();
    w->bits = bits;
    w->flags = flags;
    atomic_store_explicit(&w->woken, NOT_WOKEN, memory_order_relaxed);
}

/* The wait has ended with r and w is in no queue. With -EINTR the caller runs the handlers. */
static int waiter_done(struct waiter *w, int r)
{
    if (likely(w->green != NULL)) {
        if (r == -EINTR)
            critical_leave_quietly(w->green);
        else
            critical_leave_as(w->green);
    }
    return r;
}

static const void *waiter_addr(const struct waiter *w)
{
    return atomic_load_explicit(&w->addr, memory_order_relaxed);
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

/* Whether w has been woken and the waker is done with it. */
static bool woken(struct waiter *w)
{
    unsigned state = atomic_load_explicit(&w->woken, memory_order_acquire);
    for (int i = 0; unlikely(state == WAKING); i++) {
        if (i < LOCK_SPINS)
            cpu_relax();
        else
            sys_yield();
        state = atomic_load_explicit(&w->woken, memory_order_acquire);
    }
    return state == WOKEN;
}

static EVY_COLD int interruption_slow(struct green *g, unsigned why, unsigned flags)
{
    if ((flags & LOT_CANCEL) && (why & INTERRUPT_CANCEL) &&
        !(g->flags & (GREEN_CANCEL_OFF | GREEN_EXITING)))
        return -ECANCELED;
    if (!(flags & LOT_SIGNAL) || !(why & INTERRUPT_SIGNAL))
        return 0;
    return signal_hooks.due == NULL || signal_hooks.due(g) ? -EINTR : 0;
}

static int interruption(struct green *g, unsigned flags)
{
    unsigned why = atomic_load_explicit(&g->interrupted, memory_order_acquire);
    return likely(why == 0) ? 0 : interruption_slow(g, why, flags);
}

/* Waits that signals do not end run the handlers in the middle. A handler that leaves one by siglongjmp
   leaves a function that is not async-signal-safe: POSIX lets nobody count on that. */
static void run_handlers(struct green *g, unsigned flags)
{
    if (unlikely(atomic_load_explicit(&g->interrupted, memory_order_relaxed)) &&
        !(flags & LOT_SIGNAL)) {
        critical_leave_as(g);
        critical_enter_as(g);
    }
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
    struct green *g = w->green;
    if (unlikely(atomic_load_explicit(&g->interrupted, memory_order_relaxed) & INTERRUPT_CANCEL) &&
        g->flags & GREEN_CANCEL_ASYNC && !(g->flags & (GREEN_CANCEL_OFF | GREEN_EXITING)) &&
        !(w->flags & LOT_CANCEL) && g->critical == 1 && signal_hooks.deliver)
        end_in_wait(w);
}

static bool passed(deadline_t deadline)
{
    return deadline != DEADLINE_NEVER && deadline_left(deadline) == 0;
}

static int kernel_wait(struct waiter *w, deadline_t deadline)
{
    struct timespec ts = ns_to_timespec(deadline);
    const struct timespec *until = deadline == DEADLINE_NEVER ? NULL : &ts;
    while (!woken(w)) {
        long r = sys_futex_wait(&w->woken, NOT_WOKEN, until);
        if (r == -ETIMEDOUT || (r == -EINTR && (w->flags & LOT_SIGNAL)))
            return unqueue(w) ? (int)r : 0;
    }
    return 0;
}

static int green_wait(struct waiter *w, deadline_t deadline)
{
    struct green *g = w->green;
    bool late = passed(deadline);
    for (;;) {
        end_if_cancelled(w);
        run_handlers(g, w->flags);
        if (woken(w))
            return 0;
        int r = interruption(g, w->flags);
        if (r == 0)
            r = late ? -ETIMEDOUT : sched_park(deadline);
        if (r < 0)
            return unqueue(w) ? r : 0;
    }
}

int lot_wait(struct waiter *w, deadline_t deadline)
{
    int r = likely(w->green != NULL) ? green_wait(w, deadline) : kernel_wait(w, deadline);
    return waiter_done(w, r);
}

int lot_wait_any(struct waiter *w, unsigned n, deadline_t deadline)
{
    struct green *g = w->green;
    bool late = passed(deadline);
    for (int r = 0;;) {
        for (unsigned i = 0; i < n; i++) {
            if (woken(&w[i]))
                return 0;
        }
        if (r < 0)
            return r;
        r = interruption(g, w->flags);
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
    return lot_wait(&w, deadline);
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
        r = lot_park(&word, 0, deadline, LOT_CANCEL | LOT_SIGNAL);
    while (r == 0);
    return r;
}

/* Wakes as lot_unpark_bits, the lock being held. Returns the counted; *woken_all counts all. */
static unsigned wake_queue(struct bucket *b, const void *addr, unsigned count, uint32_t bits,
                           int *woken_all)
{
    unsigned counted = 0;
    list_for_each_safe (node, &b->queue) {
        struct waiter *w = list_entry(node, struct waiter, node);
        bool all = w->flags & LOT_ALL;
        if (!all && counted == count)
            break;
        if (waiter_addr(w) != addr || !(w->bits & bits))
            continue;
        counted += !all;
        ++*woken_all;
        wake(w);
    }
    return counted;
}

static EVY_NOINLINE unsigned unpark_slow(struct bucket *b, const void *addr, unsigned count,
                                         uint32_t bits)
{
    int woken_all = 0;
    critical_enter();
    bucket_lock(b);
    unsigned counted = wake_queue(b, addr, count, bits, &woken_all);
    bucket_unlock(b, -woken_all);
    critical_leave();
    return counted;
}

static unsigned unpark(const void *addr, unsigned count, uint32_t bits)
{
    struct bucket *b = bucket_of(addr);
    if (likely(atomic_load(&b->word) == 0))
        return 0;
    return unpark_slow(b, addr, count, bits);
}

unsigned lot_unpark_fenced(const void *addr, unsigned count)
{
    return unpark(addr, count, FUTEX_BITSET_MATCH_ANY);
}

unsigned lot_unpark_bits(const void *addr, unsigned count, uint32_t bits)
{
    atomic_thread_fence(memory_order_seq_cst);
    return unpark(addr, count, bits);
}

unsigned lot_unpark(const void *addr, unsigned count)
{
    return lot_unpark_bits(addr, count, FUTEX_BITSET_MATCH_ANY);
}

static void lock_pair(struct bucket *a, struct bucket *b)
{
    bucket_lock(a < b ? a : b);
    if (a != b)
        bucket_lock(a < b ? b : a);
}

static unsigned move_queue(struct bucket *from, const void *addr, struct bucket *to,
                           const void *to_addr, unsigned count)
{
    struct list moved;
    unsigned n = 0;
    list_init(&moved);
    list_for_each_safe (node, &from->queue) {
        struct waiter *w = list_entry(node, struct waiter, node);
        if (n == count)
            break;
        if (waiter_addr(w) != addr || (w->flags & LOT_ALL))
            continue;
        list_remove(node);
        list_append(&moved, node);
        n++;
    }
    list_for_each_safe (node, &moved) {
        struct waiter *w = list_entry(node, struct waiter, node);
        atomic_store_explicit(&w->addr, to_addr, memory_order_relaxed);
        bucket_insert(to, w);
    }
    return n;
}

int lot_requeue(const atomic_uint *from, const void *to, unsigned wake, unsigned move,
                const uint32_t *expected)
{
    struct bucket *a = bucket_of(from), *b = bucket_of(to);
    int woken_all = 0;
    unsigned counted = 0, moved = 0;
    atomic_load_explicit(from, memory_order_relaxed); /* a bad address faults unlocked */
    critical_enter();
    lock_pair(a, b);
    bool same = expected == NULL || atomic_load(from) == *expected;
    if (same) {
        counted = wake_queue(a, from, wake, FUTEX_BITSET_MATCH_ANY, &woken_all);
        moved = from == to ? 0 : move_queue(a, from, b, to, move);
    }
    if (a != b)
        bucket_unlock(b, (int)moved);
    bucket_unlock(a, -woken_all - (a != b ? (int)moved : 0));
    critical_leave();
    return same ? (int)(counted + moved) : -EAGAIN;
}

void lot_after_fork(void)
{
    /* Anonymous pages of ours alone: the kernel drops them, and they read as zero again. */
    sys_call4(SYS_madvise, (long)buckets, sizeof buckets, MADV_DONTNEED, 0);
}
