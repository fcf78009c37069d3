/* The parking lot's waking side. */
#include "core/bucket.h"

#include "base/sys.h"
#include "body/critical.h"
#include "core/sched.h"
#include "core/sched_internal.h"
#include "cpu.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>

#define PAGE 4096

struct bucket buckets[1 << BUCKET_BITS] __attribute__((aligned(PAGE)));

struct lot_access lot_access;

void lot_share(void)
{
    unsigned alone = LOT_ALONE;
    if (atomic_load(&lot_access.shared) == LOT_SHARED)
        return;
    atomic_compare_exchange_strong(&lot_access.shared, &alone, LOT_SHARING);
    sys_membarrier();
    while (atomic_load(&lot_access.inside))
        sys_yield();
    atomic_store(&lot_access.shared, LOT_SHARED);
}

void bucket_lock_slow(struct bucket *b)
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

static int rank(const struct waiter *w)
{
    if (w->flags & LOT_ALL)
        return INT_MAX;
    return w->green ? w->green->priority : 0;
}

void bucket_insert_ranked(struct bucket *b, struct waiter *w)
{
    struct list *at = b->queue.next;
    while (at != &b->queue && rank(list_entry(at, struct waiter, node)) >= w->green->priority)
        at = at->next;
    list_append(at, &w->node);
}

static inline void unpark_green(struct green *me, struct green *g)
{
    if (likely(me && green_hub(g) == me->hub)) /* me is in a critical section: its hub is here */
        sched_wake(me->hub, g);
    else
        sched_unpark(g);
}

/* The bucket lock is held; afterwards neither w nor its green thread may be touched. */
static inline void wake(struct green *me, struct waiter *w)
{
    struct green *g = w->green;
    list_remove(&w->node);
    if (likely(g != NULL)) {
        atomic_store_explicit(&w->woken, WAKING, memory_order_relaxed);
        unpark_green(me, g);
        atomic_store_explicit(&w->woken, WOKEN, memory_order_release);
    } else {
        const atomic_uint *word = &w->woken;
        atomic_store_explicit(&w->woken, WOKEN, memory_order_release);
        sys_futex_wake(word, 1); /* the waiter may be gone: then this wakes nobody, or spuriously */
    }
}

/* Wakes as lot_unpark_bits, the lock being held. Returns the counted; *woken_all counts all, *flags gets what any of them
   waited with. */
static EVY_NOINLINE unsigned wake_queue(struct green *me, struct bucket *b, const void *addr,
                                        unsigned count, uint32_t bits, int *woken_all,
                                        unsigned *flags)
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
        *flags |= w->flags;
        wake(me, w);
    }
    return counted;
}

/* The same. In most buckets there is one. */
static EVY_INLINE unsigned wake_those(struct green *me, struct bucket *b, const void *addr,
                                      unsigned count, uint32_t bits, int *woken_all,
                                      unsigned *flags)
{
    struct waiter *w = list_entry(b->queue.next, struct waiter, node);
    if (unlikely(atomic_load_explicit(&b->word, memory_order_relaxed) != LOCKED + WAITER || !count))
        return wake_queue(me, b, addr, count, bits, woken_all, flags);
    if (unlikely(waiter_addr(w) != addr || !(w->bits & bits)))
        return 0;
    *woken_all = 1;
    *flags = w->flags;
    wake(me, w);
    return !(*flags & LOT_ALL);
}

static EVY_INLINE unsigned wake_in(struct green *me, struct bucket *b, const void *addr,
                                   unsigned count, uint32_t bits, unsigned *flags)
{
    int woken_all = 0;
    bucket_lock(b);
    unsigned counted = wake_those(me, b, addr, count, bits, &woken_all, flags);
    bucket_unlock(b, -woken_all);
    return counted;
}

static EVY_NOINLINE unsigned unpark_slow(struct green *me, struct bucket *b, const void *addr,
                                         unsigned count, uint32_t bits)
{
    unsigned flags = 0;
    critical_enter_as(me);
    unsigned counted = wake_in(me, b, addr, count, bits, &flags);
    bool aside = sched_outranked(me);
    if (unlikely(flags & LOT_STARVING)) {
        aside |= sched_may_yield(me);
        me->flags |= aside ? 0 : GREEN_ASIDE;
    }
    critical_leave_as(me);
    if (unlikely(aside))
        sched_yield_now();
    return counted;
}

static EVY_COLD unsigned unpark_foreign(struct bucket *b, const void *addr, unsigned count,
                                        uint32_t bits)
{
    unsigned flags = 0;
    uint64_t mask = foreign_enter();
    unsigned counted = wake_in(NULL, b, addr, count, bits, &flags);
    foreign_leave(mask);
    return counted;
}

void lot_stand_aside(void)
{
    struct green *me = self();
    if (likely(!me || !(me->flags & GREEN_ASIDE)))
        return;
    me->flags &= ~(unsigned)GREEN_ASIDE;
    sched_yield_now();
}

static inline unsigned unpark(const void *addr, unsigned count, uint32_t bits)
{
    struct bucket *b = bucket_of(addr);
    struct green *me = self();
    lot_come(me);
    if (likely(atomic_load(&b->word) == 0 && !(me && atomic_load(&me->stranded))))
        return 0;
    if (unlikely(!me))
        return unpark_foreign(b, addr, count, bits);
    return unpark_slow(me, b, addr, count, bits);
}

/* Looks without the lock: what may vanish meanwhile may be prefetched, not read. */
EVY_UNSEEN void lot_expect(const void *const *addrs, int n)
{
    const struct bucket *b[LOT_EXPECT_MOST];
    bool alone = atomic_load_explicit(&lot_access.shared, memory_order_relaxed) == LOT_ALONE;
    for (int i = 0; i < n; i++) {
        b[i] = bucket_of(addrs[i]);
        __builtin_prefetch(addrs[i], 1);
        __builtin_prefetch(b[i], 1);
    }
    for (int i = 0; i < n; i++)
        __builtin_prefetch(b[i]->queue.next, 1);
    for (int i = 0; alone && i < n; i++)
        if (atomic_load_explicit(&b[i]->word, memory_order_relaxed) != 0)
            __builtin_prefetch(list_entry(b[i]->queue.next, struct waiter, node)->green, 1);
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

/* A section of whoever runs. */
static uint64_t section_enter(void)
{
    critical_enter();
    return self() ? 0 : foreign_enter();
}

static void section_leave(uint64_t mask)
{
    if (!self())
        foreign_leave(mask);
    critical_leave();
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
    unsigned counted = 0, moved = 0, flags = 0;
    struct green *me = self();
    lot_come(me);
    atomic_load_explicit(from, memory_order_relaxed); /* a bad address faults unlocked */
    uint64_t mask = section_enter();
    lock_pair(a, b);
    bool same = expected == NULL || atomic_load(from) == *expected;
    if (same) {
        counted = wake_queue(me, a, from, wake, FUTEX_BITSET_MATCH_ANY, &woken_all, &flags);
        moved = from == to ? 0 : move_queue(a, from, b, to, move);
    }
    if (a != b)
        bucket_unlock(b, (int)moved);
    bucket_unlock(a, -woken_all - (a != b ? (int)moved : 0));
    section_leave(mask);
    return same ? (int)(counted + moved) : -EAGAIN;
}

unsigned lot_waiters(const void *addr, struct green **greens, unsigned max)
{
    struct bucket *b = bucket_of(addr);
    unsigned count = 0;
    if (atomic_load(&b->word) == 0)
        return 0;
    lot_come(self());
    uint64_t mask = section_enter();
    bucket_lock(b);
    list_for_each (node, &b->queue) {
        const struct waiter *w = list_entry(node, struct waiter, node);
        if (waiter_addr(w) != addr)
            continue;
        if (count < max)
            greens[count] = w->green;
        count++;
    }
    bucket_unlock(b, 0);
    section_leave(mask);
    return count;
}

static EVY_NOINLINE bool awaited(struct bucket *b, const void *addr)
{
    bool found = false;
    uint64_t mask = section_enter();
    bucket_lock(b);
    list_for_each (node, &b->queue) {
        const struct waiter *w = list_entry(node, struct waiter, node);
        found |= waiter_addr(w) == addr && !(w->flags & LOT_ALL);
    }
    bucket_unlock(b, 0);
    section_leave(mask);
    return found;
}

bool lot_awaited(const void *addr)
{
    struct bucket *b = bucket_of(addr);
    lot_come(self());
    return unlikely(atomic_load(&b->word) != 0) && awaited(b, addr);
}

void lot_after_fork(void)
{
    lot_access = (struct lot_access){0};
    /* Anonymous pages of ours alone: the kernel drops them, and they read as zero again. */
    sys_call4(SYS_madvise, (long)buckets, sizeof buckets, MADV_DONTNEED, 0);
}
