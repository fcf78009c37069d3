#include "core/lot.h"
#include "core/raise.h"
#include "sync/cancel.h"
#include "sync/cond_shared.h"
#include "sync/deadline.h"
#include "sync/sync.h"
#include "sync/words.h"

#include <errno.h>
#include <limits.h>

/* A private condition is nothing but its address: all state is in the parking lot. So whoever has been
   woken never touches it again, and it may be destroyed as soon as all are woken. */

static inline unsigned flags_of(const pthread_cond_t *c)
{
    return ((const struct cond *)c)->flags;
}

static inline bool is_shared(const pthread_cond_t *c)
{
    return flags_of(c) & COND_SHARED;
}

static EVY_COLD int give_up(struct waiter *w, const pthread_cond_t *c, int error)
{
    if (!lot_leave(w))
        lot_unpark(c, 1); /* a signal that we used up: for somebody who does wait */
    return error;
}

static void lock_unwinding(void *m)
{
    mutex_cond_lock(m);
}

/* A kernel thread that is cancelled unwinds from the wait, with the mutex locked. */
static EVY_COLD int foreign_wait(struct waiter *w, pthread_mutex_t *m, deadline_t deadline)
{
    int r;
    pthread_cleanup_push(lock_unwinding, m);
    r = lot_wait(w, deadline);
    pthread_cleanup_pop(0);
    return r;
}

static int wait_until(pthread_cond_t *c, pthread_mutex_t *m, deadline_t deadline)
{
    struct waiter w;
    cancel_point();
    lot_enqueue(&w, c,
                LOT_CANCEL | LOT_RAISE | LOT_UNWIND |
                    LOT_COND); /* before the unlock: whoever locks next can signal us */
    int r = mutex_cond_unlock(m);
    if (unlikely(r))
        return give_up(&w, c, r);
    int waited = likely(w.green != NULL) ? lot_wait(&w, deadline) : foreign_wait(&w, m, deadline);
    r = mutex_cond_lock(m);
    if (unlikely(waited == -ECANCELED))
        cancel_now();
    if (r || waited == 0 || waited == -ENOMEM)
        return r;
    return error_edge(waited);
}

int evy_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    if (unlikely(is_shared(c)))
        return cond_shared_wait(c, m, NO_LIMIT);
    return wait_until(c, m, DEADLINE_NEVER);
}

static int wait_limited(pthread_cond_t *c, pthread_mutex_t *m, struct limit limit)
{
    deadline_t deadline;
    int r = limit_deadline(limit, &deadline);
    if (unlikely(r))
        return r;
    return unlikely(is_shared(c)) ? cond_shared_wait(c, m, limit) : wait_until(c, m, deadline);
}

int evy_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *at)
{
    clockid_t clock = flags_of(c) & COND_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    return wait_limited(c, m, (struct limit){clock, at});
}

int evy_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                               const struct timespec *at)
{
    return limit_clock_ok(clock) ? wait_limited(c, m, (struct limit){clock, at}) : EINVAL;
}

/* Without a fence: waiters queue themselves under the mutex that the caller has used. */
int evy_pthread_cond_signal(pthread_cond_t *c)
{
    if (unlikely(is_shared(c)))
        return cond_shared_wake(c, false);
    lot_unpark_fenced(c, 1);
    return 0;
}

int evy_pthread_cond_broadcast(pthread_cond_t *c)
{
    if (unlikely(is_shared(c)))
        return cond_shared_wake(c, true);
    lot_unpark_fenced(c, UINT_MAX);
    return 0;
}

int evy_pthread_cond_destroy(pthread_cond_t *c)
{
    return unlikely(is_shared(c)) ? cond_shared_destroy(c) : 0;
}
