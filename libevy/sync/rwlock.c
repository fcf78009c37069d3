#include "core/lot.h"
#include "real/real.h"
#include "sync/deadline.h"
#include "sync/rwlock_shared.h"
#include "sync/sync.h"
#include "sync/words.h"

#include <errno.h>
#include <limits.h>

/* state: WRITER, or the number of readers; and who may be parked. The flags may be stale, never missing:
   whoever clears one wakes somebody it stands for, and the woken sets it again before it parks again.
   A woken writer also sets it when it gets the lock, for the writers behind it. */
#define WRITER (1u << 31)
#define READERS_WAIT (1u << 30)
#define WRITERS_WAIT (1u << 29)
#define READERS_MASK (WRITERS_WAIT - 1)

/* Both kinds of waiters park on the state, told apart by futex bits. */
enum { BIT_READERS = 1, BIT_WRITERS = 2 };

static inline struct rwlock *words(pthread_rwlock_t *l)
{
    return (struct rwlock *)l;
}

static inline bool prefers_writers(const struct rwlock *l)
{
    return l->preference == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
}

static bool may_read(const struct rwlock *l, unsigned state)
{
    return !(state & WRITER) && !((state & WRITERS_WAIT) && prefers_writers(l));
}

static bool may_write(unsigned state)
{
    return (state & (WRITER | READERS_MASK)) == 0;
}

static bool mine(struct rwlock *l)
{
    return atomic_load_explicit(&l->writer, memory_order_relaxed) == sync_tid();
}

static int try_read(struct rwlock *l)
{
    unsigned state = atomic_load_explicit(&l->state, memory_order_relaxed);
    while (may_read(l, state)) {
        if ((state & READERS_MASK) == READERS_MASK)
            return EAGAIN;
        if (atomic_compare_exchange_weak(&l->state, &state, state + 1))
            return 0;
    }
    return EBUSY;
}

/* more: WRITERS_WAIT of a writer that has been parked, or 0. */
static int try_write(struct rwlock *l, unsigned more)
{
    unsigned state = atomic_load_explicit(&l->state, memory_order_relaxed);
    while (may_write(state)) {
        if (atomic_compare_exchange_weak(&l->state, &state, state | WRITER | more)) {
            atomic_store_explicit(&l->writer, sync_tid(), memory_order_relaxed);
            return 0;
        }
    }
    return EBUSY;
}

/* A writer has given up: readers that only stood back for it must not go on waiting. */
static EVY_COLD void look_again(struct rwlock *l)
{
    atomic_fetch_and(&l->state, ~(READERS_WAIT | WRITERS_WAIT));
    lot_unpark(&l->state, UINT_MAX);
}

static int read_slow(struct rwlock *l, deadline_t deadline)
{
    for (unsigned lost = 0;;) {
        int r = try_read(l);
        if (r != EBUSY)
            return r;
        unsigned state = atomic_load(&l->state);
        if (may_read(l, state) ||
            (!(state & READERS_WAIT) &&
             !atomic_compare_exchange_strong(&l->state, &state, state | READERS_WAIT)))
            continue;
        r = lot_park_bits(&l->state, state | READERS_WAIT, BIT_READERS, deadline,
                          LOT_RWLOCK | lot_starving(lost));
        if (r == -ETIMEDOUT || r == -ENOMEM)
            return -r;
        lost += r == 0;
    }
}

static int write_slow(struct rwlock *l, deadline_t deadline)
{
    unsigned lost = 0;
    for (unsigned more = 0; try_write(l, more) != 0; more = WRITERS_WAIT) {
        unsigned state = atomic_load(&l->state);
        if (may_write(state) ||
            (!(state & WRITERS_WAIT) &&
             !atomic_compare_exchange_strong(&l->state, &state, state | WRITERS_WAIT)))
            continue;
        int r = lot_park_bits(&l->state, state | WRITERS_WAIT, BIT_WRITERS, deadline,
                              LOT_RWLOCK | lot_starving(lost));
        lost += r == 0;
        if (r == -ETIMEDOUT || r == -ENOMEM) {
            look_again(l);
            return -r;
        }
    }
    return 0;
}

static int read_until(struct rwlock *l, struct limit limit)
{
    deadline_t deadline = DEADLINE_NEVER;
    int r = limit.at ? limit_deadline(limit, &deadline) : 0;
    if (r)
        return r;
    if (unlikely(mine(l)))
        return EDEADLK;
    r = try_read(l);
    return likely(r != EBUSY) ? r : read_slow(l, deadline);
}

static int write_until(struct rwlock *l, struct limit limit)
{
    deadline_t deadline = DEADLINE_NEVER;
    int r = limit.at ? limit_deadline(limit, &deadline) : 0;
    if (r)
        return r;
    if (unlikely(mine(l)))
        return EDEADLK;
    return likely(try_write(l, 0) == 0) ? 0 : write_slow(l, deadline);
}

static int lock_until(pthread_rwlock_t *l, bool write, struct limit limit)
{
    if (unlikely(words(l)->shared))
        return rwlock_shared_lock(l, write, limit);
    return write ? write_until(words(l), limit) : read_until(words(l), limit);
}

int evy_pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    return lock_until(l, false, NO_LIMIT);
}

int evy_pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
    return words(l)->shared ? rwlock_shared_trylock(l, false) : try_read(words(l));
}

int evy_pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *at)
{
    return lock_until(l, false, (struct limit){CLOCK_REALTIME, at});
}

int evy_pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *at)
{
    return limit_clock_ok(clock) ? lock_until(l, false, (struct limit){clock, at}) : EINVAL;
}

int evy_pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    return lock_until(l, true, NO_LIMIT);
}

int evy_pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    return words(l)->shared ? rwlock_shared_trylock(l, true) : try_write(words(l), 0);
}

int evy_pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *at)
{
    return lock_until(l, true, (struct limit){CLOCK_REALTIME, at});
}

int evy_pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *at)
{
    return limit_clock_ok(clock) ? lock_until(l, true, (struct limit){clock, at}) : EINVAL;
}

/* The lock is free and may be gone: only its address counts. The preferred kind is woken first, the
   other one only if that woke nobody: the woken take the lock and wake the other when they leave. */
static EVY_NOINLINE void wake_next(const atomic_uint *state, unsigned waiting, bool writers_first)
{
    if (writers_first && (waiting & WRITERS_WAIT) && lot_unpark_bits(state, 1, BIT_WRITERS))
        return;
    if ((waiting & READERS_WAIT) && lot_unpark_bits(state, UINT_MAX, BIT_READERS))
        return;
    if (!writers_first && (waiting & WRITERS_WAIT))
        lot_unpark_bits(state, 1, BIT_WRITERS);
}

/* What stays in the state of a lock that becomes free: the flag of the kind that is not woken first. */
static unsigned left_waiting(unsigned state, bool writers_first)
{
    unsigned waiting = state & (READERS_WAIT | WRITERS_WAIT);
    if (waiting == (READERS_WAIT | WRITERS_WAIT))
        return writers_first ? READERS_WAIT : WRITERS_WAIT;
    return 0;
}

int evy_pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    struct rwlock *l = words(lock);
    if (l->shared)
        return rwlock_shared_unlock(lock);
    bool writers_first = prefers_writers(l);
    unsigned state = atomic_load_explicit(&l->state, memory_order_relaxed), next;
    if (state & WRITER)
        atomic_store_explicit(&l->writer, 0, memory_order_relaxed);
    do {
        bool last = (state & WRITER) || (state & READERS_MASK) <= 1;
        next = last ? left_waiting(state, writers_first) : state - 1;
    } while (!atomic_compare_exchange_weak(&l->state, &state, next));
    if (unlikely((next & READERS_MASK) == 0 && (state & (READERS_WAIT | WRITERS_WAIT))))
        wake_next(&l->state, state, writers_first);
    return 0;
}

int evy_pthread_rwlock_destroy(pthread_rwlock_t *l)
{
    return words(l)->shared ? REAL(pthread_rwlock_destroy)(l) : 0;
}
