#include "sync/pi_shared.h"

#include "base/sys.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "core/lot.h"
#include "io/blocking.h"
#include "proc/own_thread.h"
#include "sync/mutex_full.h"
#include "sync/shared.h"

#include <errno.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

/* The kernel thread that the caller has to itself, 0 when it cannot have one. */
static unsigned own_task(void)
{
    if (!self())
        return (unsigned)tcb_tid(shared_thread());
    return own_thread_get() ? 0 : (unsigned)self()->hub->carrier->tid;
}

static unsigned owner_of(struct mutex *m)
{
    return atomic_load_explicit(&m->lock, memory_order_relaxed) & FUTEX_TID_MASK;
}

/* Others may have come to live on the same kernel thread. */
static bool is_holder(const struct mutex *m)
{
    int holder = atomic_load_explicit(&m->holder, memory_order_relaxed);
    return holder == sync_tid() || holder == HOLDER_UNKNOWN;
}

/* Main may have locked it while it was alone. */
bool pi_shared_mine(struct mutex *m)
{
    unsigned owner = owner_of(m);
    return owner && is_holder(m) && owner == own_task();
}

/* glibc's answer to one that will never be had. */
static int wait_in_vain(struct limit limit)
{
    deadline_t deadline;
    int r = limit_deadline(limit, &deadline);
    while (!r && lot_sleep(deadline) != -ETIMEDOUT)
        ;
    return r ? r : ETIMEDOUT;
}

static long lock_in_kernel(struct mutex *m, struct limit limit)
{
    long op = limit.at && limit.clock == CLOCK_MONOTONIC ? FUTEX_LOCK_PI2 : FUTEX_LOCK_PI;
    if (!self())
        return sys_call6(SYS_futex, (long)&m->lock, op, 0, (long)limit.at, 0, 0);
    return BLOCKING(PLAIN, long, sys_call6(SYS_futex, (long)&m->lock, op, 0, (long)limit.at, 0, 0));
}

static int lock_slow(struct mutex *m, struct limit limit)
{
    deadline_t valid;
    long r = -limit_deadline(limit, &valid);
    while (r == 0 && (r = lock_in_kernel(m, limit)) == -EAGAIN)
        r = 0; /* its owner is about to end */
    if (r == -ESRCH || r == -EDEADLK)
        return wait_in_vain(limit);
    return r == -ENOSYS ? EINVAL : (int)-r;
}

static int taken(struct mutex *m, unsigned users)
{
    m->count = 1;
    m->nusers += users;
    atomic_store_explicit(&m->holder, sync_tid(), memory_order_relaxed);
    atomic_store_explicit(&m->owner, (int)owner_of(m), memory_order_relaxed);
    return 0;
}

/* Locked again by its owner. */
static int again(struct mutex *m, unsigned type)
{
    if (type == PTHREAD_MUTEX_ERRORCHECK)
        return EDEADLK;
    return m->count + 1 == 0 ? EAGAIN : (m->count++, 0);
}

static bool checks(unsigned kind)
{
    unsigned type = kind & MUTEX_TYPE;
    return type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK;
}

static int try(struct mutex *m, unsigned kind, unsigned task, unsigned users)
{
    unsigned word = MUTEX_FREE;
    if (atomic_compare_exchange_strong(&m->lock, &word, task))
        return taken(m, users);
    bool mine = (word & FUTEX_TID_MASK) == task && is_holder(m);
    return mine && checks(kind) ? again(m, kind & MUTEX_TYPE) : EBUSY;
}

int pi_shared_lock(struct mutex *m, unsigned kind, struct limit limit, unsigned users)
{
    unsigned task = own_task();
    if (!task)
        return EAGAIN;
    int r = try(m, kind, task, users);
    if (r != EBUSY)
        return r;
    r = lock_slow(m, limit);
    return r ? r : taken(m, users);
}

int pi_shared_trylock(struct mutex *m, unsigned kind)
{
    unsigned task = own_task();
    return task ? try(m, kind, task, 1) : EAGAIN;
}

static void free_word(struct mutex *m, unsigned task)
{
    if (!atomic_compare_exchange_strong(&m->lock, &task, MUTEX_FREE))
        sys_call6(SYS_futex, (long)&m->lock, FUTEX_UNLOCK_PI, 0, 0, 0, 0);
}

int pi_shared_unlock(struct mutex *m, unsigned kind, unsigned users)
{
    if (!pi_shared_mine(m))
        return EPERM;
    if ((kind & MUTEX_TYPE) == PTHREAD_MUTEX_RECURSIVE && --m->count != 0)
        return 0;
    atomic_store_explicit(&m->holder, HOLDER_NONE, memory_order_relaxed);
    atomic_store_explicit(&m->owner, 0, memory_order_relaxed);
    m->nusers -= users;
    free_word(m, own_task());
    return 0;
}
