#include "base/config.h"
#include "core/lot.h"
#include "core/sched.h"
#include "core/single.h"
#include "cpu.h"
#include "sync/deadline.h"
#include "sync/mutex_full.h"
#include "sync/sync.h"
#include "sync/words.h"

#include <errno.h>

#define SPINS 100 /* about the time that parking and coming back takes */

static inline struct mutex *words(pthread_mutex_t *m)
{
    return (struct mutex *)m;
}

static inline unsigned kind_of(struct mutex *m)
{
    return (unsigned)atomic_load_explicit(&m->kind, memory_order_relaxed) &
           ~(unsigned)MUTEX_ELISION;
}

static inline int owner_of(struct mutex *m)
{
    return atomic_load_explicit(&m->owner, memory_order_relaxed);
}

static inline bool try_word(struct mutex *m)
{
    unsigned word = MUTEX_FREE;
    if (single_threaded()) {
        word = atomic_load_explicit(&m->lock, memory_order_relaxed);
        if (word == MUTEX_FREE)
            atomic_store_explicit(&m->lock, MUTEX_HELD, memory_order_relaxed);
        return word == MUTEX_FREE;
    }
    return atomic_compare_exchange_strong_explicit(&m->lock, &word, MUTEX_HELD,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Worth it only while the owner may be running elsewhere. */
static bool spin_for(struct mutex *m)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&m->lock, memory_order_relaxed) == MUTEX_FREE && try_word(m))
            return true;
        cpu_relax();
    }
    return false;
}

static EVY_NOINLINE int wait_for_word(struct mutex *m, deadline_t deadline)
{
    if (config.hubs > 1 && spin_for(m))
        return 0;
    for (unsigned lost = 0; atomic_exchange(&m->lock, MUTEX_WAITERS) != MUTEX_FREE;) {
        int r = lot_park(&m->lock, MUTEX_WAITERS, deadline, LOT_MUTEX | lot_starving(lost));
        if (r == -ETIMEDOUT || r == -ENOMEM)
            return -r;
        lost += r == 0;
    }
    return 0;
}

static EVY_NOINLINE int take_slow(struct mutex *m, struct limit limit)
{
    deadline_t deadline;
    int r = limit_deadline(limit, &deadline);
    return r ? r : wait_for_word(m, deadline);
}

/* tid: the caller's, 0 when not known yet. users: 1, or 0 for a condition wait, which has stayed one. */
static inline int take(struct mutex *m, int tid, struct limit limit, unsigned users)
{
    if (unlikely(!try_word(m))) {
        int r = take_slow(m, limit);
        if (r)
            return r;
    }
    atomic_store_explicit(&m->owner, tid ? tid : sync_tid(), memory_order_relaxed);
    m->nusers += users;
    return 0;
}

static int again(struct mutex *m)
{
    if (m->count + 1 == 0)
        return EAGAIN;
    m->count++;
    return 0;
}

static int take_kind(struct mutex *m, unsigned kind, struct limit limit, unsigned users)
{
    int tid = sync_tid();
    bool mine = owner_of(m) == tid;
    if (unlikely(mine) && kind == PTHREAD_MUTEX_RECURSIVE)
        return again(m);
    if (unlikely(mine) && kind == PTHREAD_MUTEX_ERRORCHECK)
        return EDEADLK;
    int r = take(m, tid, limit, users);
    if (r == 0)
        m->count = kind == PTHREAD_MUTEX_RECURSIVE;
    return r;
}

static EVY_NOINLINE int lock_kind(pthread_mutex_t *mutex, unsigned kind, unsigned users)
{
    if (kind > MUTEX_KIND_OURS)
        return full_lock(words(mutex), kind, NO_LIMIT, users);
    return take_kind(words(mutex), kind, NO_LIMIT, users);
}

int evy_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    unsigned kind = kind_of(words(mutex));
    if (likely(kind == PTHREAD_MUTEX_NORMAL))
        return take(words(mutex), 0, NO_LIMIT, 1);
    return lock_kind(mutex, kind, 1);
}

int mutex_cond_lock(pthread_mutex_t *mutex)
{
    unsigned kind = kind_of(words(mutex));
    if (likely(kind == PTHREAD_MUTEX_NORMAL))
        return take(words(mutex), 0, NO_LIMIT, 0);
    return lock_kind(mutex, kind, 0);
}

/* Who tries until it succeeds must let the owner run. */
static EVY_COLD int not_now(int error)
{
    if (self())
        sched_tick();
    return error;
}

int evy_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    struct mutex *m = words(mutex);
    unsigned kind = kind_of(m);
    if (unlikely(kind > MUTEX_KIND_OURS))
        return full_trylock(m, kind);
    if (kind == PTHREAD_MUTEX_RECURSIVE && owner_of(m) == sync_tid())
        return again(m);
    if (!try_word(m))
        return not_now(EBUSY);
    if (kind == PTHREAD_MUTEX_RECURSIVE)
        m->count = 1;
    atomic_store_explicit(&m->owner, sync_tid(), memory_order_relaxed);
    m->nusers++;
    return 0;
}

static int lock_until(struct mutex *m, struct limit limit)
{
    unsigned kind = kind_of(m);
    if (unlikely(kind > MUTEX_KIND_OURS))
        return full_lock(m, kind, limit, 1);
    return take_kind(m, kind, limit, 1);
}

int evy_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *at)
{
    return lock_until(words(mutex), (struct limit){CLOCK_REALTIME, at});
}

int evy_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at)
{
    if (!limit_clock_ok(clock))
        return EINVAL;
    return lock_until(words(mutex), (struct limit){clock, at});
}

/* Once the word is free the next owner may destroy the mutex: from then on only its address counts. */
static inline int release(struct mutex *m, unsigned users)
{
    unsigned old;
    atomic_store_explicit(&m->owner, 0, memory_order_relaxed);
    m->nusers -= users;
    if (single_threaded()) {
        old = atomic_load_explicit(&m->lock, memory_order_relaxed);
        atomic_store_explicit(&m->lock, MUTEX_FREE, memory_order_relaxed);
    } else {
        old = atomic_exchange(&m->lock, MUTEX_FREE);
    }
    if (unlikely(old > MUTEX_HELD))
        lot_unpark_fenced(&m->lock, 1);
    return 0;
}

static EVY_NOINLINE int unlock_kind(pthread_mutex_t *mutex, unsigned kind, unsigned users)
{
    struct mutex *m = words(mutex);
    if (kind > MUTEX_KIND_OURS)
        return full_unlock(m, kind, users);
    if (kind != PTHREAD_MUTEX_ADAPTIVE_NP && owner_of(m) != sync_tid())
        return EPERM;
    if (kind == PTHREAD_MUTEX_RECURSIVE && --m->count > 0)
        return 0;
    return release(m, users);
}

int evy_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    unsigned kind = kind_of(words(mutex));
    if (likely(kind == PTHREAD_MUTEX_NORMAL))
        return release(words(mutex), 1);
    return unlock_kind(mutex, kind, 1);
}

int mutex_cond_unlock(pthread_mutex_t *mutex)
{
    unsigned kind = kind_of(words(mutex));
    if (likely(kind == PTHREAD_MUTEX_NORMAL))
        return release(words(mutex), 0);
    return unlock_kind(mutex, kind, 0);
}

int evy_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    struct mutex *m = words(mutex);
    if (m->nusers != 0 && !(kind_of(m) & MUTEX_ROBUST))
        return EBUSY;
    atomic_store_explicit(&m->kind, -1,
                          memory_order_relaxed); /* later uses answer EINVAL, as natively */
    return 0;
}
