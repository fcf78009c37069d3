/* Priority ceilings. Whoever may lock a PP mutex natively may here; no green thread's priority is raised. */
#include "core/hub.h"
#include "core/lot.h"
#include "real/real.h"
#include "sync/mutex_full.h"
#include "sync/shared.h"
#include "sync/sync.h"
#include "sync/thread.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>

static int ceiling_of(unsigned word)
{
    return (int)(word >> MUTEX_CEILING_SHIFT);
}

/* glibc raises the caller to the ceiling with its own policy: only the real-time ones have such priorities. */
int prio_check(unsigned word)
{
    int policy;
    struct sched_param param;
    if (evy_pthread_getschedparam(pthread_self(), &policy, &param))
        return EINVAL;
    if (param.sched_priority > ceiling_of(word))
        return EINVAL;
    return ceiling_of(word) > sched_get_priority_max(policy) ? EINVAL : 0;
}

/* Returns 0 when the word has been made held. */
static int hold_word(struct mutex *m, bool shared)
{
    for (bool waited = false;; waited = true) {
        unsigned word = atomic_load(&m->lock);
        unsigned ceiling = word & MUTEX_CEILING;
        unsigned next = ceiling | (word == ceiling && !waited ? MUTEX_HELD : MUTEX_WAITERS);
        if (word != next && !atomic_compare_exchange_strong(&m->lock, &word, next))
            continue;
        if (word == ceiling)
            return 0;
        if (shared)
            shared_wait(&m->lock, next, DEADLINE_NEVER, LOT_MUTEX);
        else
            lot_park(&m->lock, next, DEADLINE_NEVER, 0);
    }
}

static void set_word(struct mutex *m, bool shared, unsigned word)
{
    atomic_store(&m->lock, word);
    if (shared)
        shared_wake_all(&m->lock);
    else
        lot_unpark(&m->lock, UINT_MAX);
}

bool prio_is_kernels(unsigned kind, unsigned users)
{
    return kind & MUTEX_PP && users && hub_count == 0;
}

/* Says whose the mutex is that glibc has locked, if it has. */
static int kernels(struct mutex *m, int r)
{
    if (r == 0)
        atomic_store_explicit(&m->holder, HOLDER_UNKNOWN, memory_order_relaxed);
    return r;
}

int prio_lock(struct mutex *m, struct limit limit)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)m;
    return kernels(m, limit.at ? REAL(pthread_mutex_clocklock)(mutex, limit.clock, limit.at)
                               : REAL(pthread_mutex_lock)(mutex));
}

int prio_trylock(struct mutex *m)
{
    return kernels(m, REAL(pthread_mutex_trylock)((pthread_mutex_t *)m));
}

/* Green threads may have come to wait since. */
int prio_unlock(struct mutex *m)
{
    int r = REAL(pthread_mutex_unlock)((pthread_mutex_t *)m);
    if (r == 0)
        lot_unpark(&m->lock, 1);
    return r;
}

static bool valid_ceiling(int ceiling)
{
    return ceiling >= sched_get_priority_min(SCHED_FIFO) &&
           ceiling <= sched_get_priority_max(SCHED_FIFO);
}

/* It locks the mutex for the change, whatever the caller's priority, unless the caller has it already. */
int evy_pthread_mutex_setprioceiling(pthread_mutex_t *mutex, int ceiling, int *old)
{
    struct mutex *m = (struct mutex *)mutex;
    unsigned kind = (unsigned)atomic_load_explicit(&m->kind, memory_order_relaxed);
    if (prio_is_kernels(kind, 1))
        return REAL(pthread_mutex_setprioceiling)(mutex, ceiling, old);
    if (!(kind & MUTEX_PP) || !valid_ceiling(ceiling))
        return EINVAL;
    unsigned type = kind & MUTEX_TYPE;
    bool mine = full_mine(m, kind), held = mine && type == PTHREAD_MUTEX_RECURSIVE;
    if (mine && type == PTHREAD_MUTEX_ERRORCHECK)
        return EDEADLK;
    if (!held)
        hold_word(m, kind & MUTEX_SHARED);
    unsigned word = atomic_load(&m->lock);
    if (old)
        *old = ceiling_of(word);
    unsigned rest = held ? word & ~MUTEX_CEILING : MUTEX_FREE;
    set_word(m, kind & MUTEX_SHARED, (unsigned)ceiling << MUTEX_CEILING_SHIFT | rest);
    return 0;
}
