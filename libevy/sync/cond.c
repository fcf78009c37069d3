#include "core/lot.h"
#include "real/real.h"
#include "sync/cancel.h"
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

static int wait_until(pthread_cond_t *c, pthread_mutex_t *m, deadline_t deadline)
{
    struct waiter w;
    cancel_point();
    lot_enqueue(&w, c, LOT_CANCEL); /* before the unlock: whoever locks next can signal us */
    int r = mutex_cond_unlock(m);
    if (unlikely(r))
        return give_up(&w, c, r);
    int waited = lot_wait(&w, deadline);
    r = mutex_cond_lock(m);
    if (unlikely(waited == -ECANCELED))
        cancel_now();
    return waited == -ETIMEDOUT ? ETIMEDOUT : r;
}

int evy_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    if (unlikely(is_shared(c)))
        return REAL(pthread_cond_wait)(c, m);
    return wait_until(c, m, DEADLINE_NEVER);
}

int evy_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *at)
{
    deadline_t deadline;
    if (unlikely(is_shared(c)))
        return REAL(pthread_cond_timedwait)(c, m, at);
    clockid_t clock = flags_of(c) & COND_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    int r = limit_deadline((struct limit){clock, at}, &deadline);
    return r ? r : wait_until(c, m, deadline);
}

int evy_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                               const struct timespec *at)
{
    deadline_t deadline;
    if (unlikely(is_shared(c)))
        return REAL(pthread_cond_clockwait)(c, m, clock, at);
    int r = limit_clock_ok(clock) ? limit_deadline((struct limit){clock, at}, &deadline) : EINVAL;
    return r ? r : wait_until(c, m, deadline);
}

/* Without a fence: waiters queue themselves under the mutex that the caller has used. */
int evy_pthread_cond_signal(pthread_cond_t *c)
{
    if (unlikely(is_shared(c)))
        return REAL(pthread_cond_signal)(c);
    lot_unpark_fenced(c, 1);
    return 0;
}

int evy_pthread_cond_broadcast(pthread_cond_t *c)
{
    if (unlikely(is_shared(c)))
        return REAL(pthread_cond_broadcast)(c);
    lot_unpark_fenced(c, UINT_MAX);
    return 0;
}

int evy_pthread_cond_destroy(pthread_cond_t *c)
{
    return unlikely(is_shared(c)) ? REAL(pthread_cond_destroy)(c) : 0;
}
