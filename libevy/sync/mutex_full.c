/* Mutexes that are robust, PI or PP, or shared between processes, in glibc's words:
 *
 *                    free         held            held, somebody waits
 *   shared           0            1               2
 *   PP               ceiling      ceiling | 1     ceiling | 2
 *   PI, robust       0            tid             tid | FUTEX_WAITERS
 *   robust, and its owner has died: FUTEX_OWNER_DIED, perhaps | FUTEX_WAITERS
 *
 * Other processes must find a tid of the kernel's, so green threads write that of their process's first thread, and
 * which of them it is into `holder`. Nobody's priority is raised among green threads: a PI mutex is one whose word is a
 * tid, and never seen by the kernel, but for those of pi_shared.h. */
#include "sync/mutex_full.h"

#include "base/sys.h"
#include "core/lot.h"
#include "real/real.h"
#include "sync/pi_shared.h"
#include "sync/shared.h"

#include <errno.h>
#include <limits.h>

struct attempt {
    struct mutex *m;
    unsigned kind;
    unsigned users;
    int me;          /* for holder */
    int tid;         /* for others */
    uintptr_t owner; /* whose list and tid */
    bool waited;     /* somebody else may still wait: the word must say so */
};

static struct attempt attempt(struct mutex *m, unsigned kind, unsigned users)
{
    uintptr_t owner = shared_thread();
    return (struct attempt){m, kind, users, sync_tid(), tcb_tid(owner), owner, false};
}

/* Which kinds there are: PP does not go with the others. */
static bool is_kind(unsigned kind)
{
    unsigned type = kind & ~(unsigned)MUTEX_SHARED;
    return (type & ~(MUTEX_ROBUST | MUTEX_PI | MUTEX_TYPE)) == 0 ||
           (type & ~MUTEX_TYPE) == MUTEX_PP;
}

static inline bool has_tid(unsigned kind)
{
    return kind & (MUTEX_ROBUST | MUTEX_PI);
}

/* The bits of the word that are not 0 while it is held. */
static unsigned held_bits(unsigned kind)
{
    if (has_tid(kind))
        return FUTEX_TID_MASK;
    return kind & MUTEX_PP ? ~MUTEX_CEILING : UINT_MAX;
}

static unsigned held_word(const struct attempt *a, unsigned word)
{
    if (has_tid(a->kind))
        return (unsigned)a->tid | (word & FUTEX_WAITERS) | (a->waited ? FUTEX_WAITERS : 0);
    return (a->kind & MUTEX_PP ? word & MUTEX_CEILING : 0) |
           (a->waited ? MUTEX_WAITERS : MUTEX_HELD);
}

static unsigned awaited_word(unsigned kind, unsigned word)
{
    if (has_tid(kind))
        return word | FUTEX_WAITERS;
    return (kind & MUTEX_PP ? word & MUTEX_CEILING : 0) | MUTEX_WAITERS;
}

/* All green threads write the same owner. While one takes or leaves the mutex, another must not find a holder that
   means itself: it is read after the owner, and 0 only before one of us has been there. */
static bool is_mine(const struct attempt *a)
{
    struct mutex *m = a->m;
    int owner = has_tid(a->kind)
                    ? (int)(atomic_load_explicit(&m->lock, memory_order_acquire) & FUTEX_TID_MASK)
                    : atomic_load_explicit(&m->owner, memory_order_acquire);
    int holder = atomic_load_explicit(&m->holder, memory_order_relaxed);
    return owner == a->tid && (holder == a->me || (holder == HOLDER_UNKNOWN && a->me == a->tid));
}

bool full_mine(struct mutex *m, unsigned kind)
{
    if (is_pi_shared(kind))
        return pi_shared_mine(m);
    struct attempt a = attempt(m, kind, 0);
    return is_mine(&a);
}

void full_adopt(struct mutex *m)
{
    if (atomic_load_explicit(&m->kind, memory_order_relaxed) > MUTEX_KIND_OURS)
        atomic_store_explicit(&m->holder, sync_tid(), memory_order_relaxed);
}

static void wake(const atomic_uint *lock, bool shared)
{
    if (shared)
        shared_wake_one(lock);
    else
        lot_unpark_fenced(lock, 1);
}

/* Returns what the word was. From then on only the address of m counts. */
static unsigned free_word(struct mutex *m, unsigned kind)
{
    bool shared = kind & MUTEX_SHARED;
    unsigned old = kind & MUTEX_PP ? atomic_fetch_and(&m->lock, MUTEX_CEILING)
                                   : atomic_exchange(&m->lock, MUTEX_FREE);
    bool waiters = has_tid(kind) ? old & FUTEX_WAITERS : (old & held_bits(kind)) > MUTEX_HELD;
    if (waiters)
        wake(&m->lock, shared);
    return old;
}

/* The word has become ours; it was word. */
static int taken(const struct attempt *a, unsigned word)
{
    struct mutex *m = a->m;
    bool robust = a->kind & MUTEX_ROBUST;
    int owner = atomic_load_explicit(&m->owner, memory_order_relaxed);
    if (unlikely(robust && owner == MUTEX_NOTRECOVERABLE)) {
        m->count = 0;
        free_word(m, a->kind);
        return ENOTRECOVERABLE;
    }
    bool died = robust && word & FUTEX_OWNER_DIED;
    m->count = 1;
    m->nusers += a->users - died; /* the dead one still counts as its user */
    atomic_store_explicit(&m->holder, a->me, memory_order_relaxed);
    atomic_store_explicit(&m->owner, died ? MUTEX_INCONSISTENT : a->tid, memory_order_release);
    if (robust)
        robust_insert(a->owner, m);
    return died ? EOWNERDEAD : 0;
}

static int take_word(const struct attempt *a)
{
    unsigned word = atomic_load_explicit(&a->m->lock, memory_order_relaxed);
    while ((word & held_bits(a->kind)) == 0) {
        int holder = atomic_load_explicit(&a->m->holder, memory_order_relaxed);
        if (holder == HOLDER_UNKNOWN)
            atomic_compare_exchange_strong(&a->m->holder, &holder, HOLDER_NONE);
        if (atomic_compare_exchange_weak(&a->m->lock, &word, held_word(a, word)))
            return taken(a, word);
    }
    return EBUSY;
}

static int take(const struct attempt *a)
{
    unsigned word = atomic_load_explicit(&a->m->lock, memory_order_relaxed);
    int r = a->kind & MUTEX_PP ? prio_check(word) : 0;
    if (r)
        return r;
    if (word & held_bits(a->kind))
        return EBUSY;
    if (!(a->kind & MUTEX_ROBUST))
        return take_word(a);
    robust_begin(a->owner, a->m);
    r = take_word(a);
    robust_end(a->owner);
    return r;
}

static int wait_once(struct attempt *a, deadline_t deadline, unsigned lost)
{
    atomic_uint *lock = &a->m->lock;
    unsigned word = atomic_load(lock), marked = awaited_word(a->kind, word);
    if ((word & held_bits(a->kind)) == 0)
        return 0;
    if (word != marked && !atomic_compare_exchange_strong(lock, &word, marked))
        return 0;
    a->waited = true;
    return a->kind & MUTEX_SHARED
               ? shared_wait(lock, marked, deadline, LOT_MUTEX | lot_starving(lost))
               : lot_park(lock, marked, deadline, lot_starving(lost));
}

static int take_until(struct attempt *a, struct limit limit)
{
    deadline_t deadline;
    int r = limit_deadline(limit, &deadline);
    if (r)
        return r;
    unsigned lost = 0;
    do {
        int waited = wait_once(a, deadline, lost++);
        if (waited == -ETIMEDOUT || waited == -ENOMEM)
            return -waited;
        r = take(a);
    } while (r == EBUSY);
    return r;
}

/* 0 when the caller does not have it; else in *result what locking it again answers. A normal one waits. */
static bool is_again(const struct attempt *a, int *result)
{
    unsigned type = a->kind & MUTEX_TYPE;
    if ((type != PTHREAD_MUTEX_RECURSIVE && type != PTHREAD_MUTEX_ERRORCHECK) || !is_mine(a))
        return false;
    *result = EDEADLK;
    if (type == PTHREAD_MUTEX_RECURSIVE)
        *result = a->m->count + 1 == 0 ? EAGAIN : (a->m->count++, 0);
    return true;
}

int full_lock(struct mutex *m, unsigned kind, struct limit limit, unsigned users)
{
    struct attempt a = attempt(m, kind, users);
    int r;
    if (prio_is_kernels(kind, users))
        return prio_lock(m, limit);
    if (is_pi_shared(kind))
        return pi_shared_lock(m, kind, limit, users);
    if (!is_kind(kind))
        return EINVAL;
    if (is_again(&a, &r))
        return r;
    r = take(&a);
    return r == EBUSY ? take_until(&a, limit) : r;
}

/* Only among those between processes alone does glibc not tell who has an error-checking one. */
int full_trylock(struct mutex *m, unsigned kind)
{
    struct attempt a = attempt(m, kind, 1);
    int r;
    if (prio_is_kernels(kind, 1))
        return prio_trylock(m);
    if (is_pi_shared(kind))
        return pi_shared_trylock(m, kind);
    if (!is_kind(kind))
        return EINVAL;
    if (is_again(&a, &r))
        return r == EDEADLK && !has_tid(kind) && !(kind & MUTEX_PP) ? EBUSY : r;
    return take(&a);
}

static void release(const struct attempt *a, int owner)
{
    struct mutex *m = a->m;
    atomic_store_explicit(&m->holder, HOLDER_NONE, memory_order_relaxed);
    atomic_store_explicit(&m->owner, owner, memory_order_relaxed);
    m->nusers -= a->users;
    free_word(m, a->kind);
}

/* The kernel must still know of a robust one when it is free and its waiter not yet woken. */
static void release_robust(const struct attempt *a)
{
    int owner = atomic_load_explicit(&a->m->owner, memory_order_relaxed);
    robust_begin(a->owner, a->m);
    robust_remove(a->m);
    release(a, owner == MUTEX_INCONSISTENT ? MUTEX_NOTRECOVERABLE : 0);
    robust_end(a->owner);
    lot_stand_aside();
}

int full_unlock(struct mutex *m, unsigned kind, unsigned users)
{
    struct attempt a = attempt(m, kind, users);
    unsigned type = kind & MUTEX_TYPE;
    if (!is_kind(kind))
        return EINVAL;
    if (is_pi_shared(kind))
        return pi_shared_unlock(m, kind, users);
    if (kind & MUTEX_PP && users && atomic_load(&m->holder) == HOLDER_UNKNOWN)
        return prio_unlock(m);
    bool checked =
        has_tid(kind) || type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK;
    if (checked && !is_mine(&a))
        return EPERM;
    if (type == PTHREAD_MUTEX_RECURSIVE && --m->count != 0)
        return m->owner == MUTEX_INCONSISTENT ? ENOTRECOVERABLE : 0;
    if (kind & MUTEX_ROBUST)
        release_robust(&a);
    else
        release(&a, 0);
    return 0;
}
