/* Timers that call a function on the hub's loop. */
#include "api/timer.h"

#include "api/gt.h"
#include "body/critical.h"

#include <evy/hub.h>

#include <stdlib.h>

struct evy_timer {
    struct timer timer;  /* in the heap of hub while armed */
    struct hub *hub;     /* of who made it */
    void (*cb)(void *);  /* the program's */
    void *arg;           /* its argument */
    struct green *maker; /* without whom it is not called: a reference; NULL: called in any case */
};

static void call(struct timer *timer)
{
    evy_timer *t = container_of(timer, struct evy_timer, timer);
    if (!t->maker || !gt_is(t->maker, GT_DEAD))
        t->cb(t->arg); /* may free t */
}

bool timer_drop(struct timer *timer)
{
    if (timer->fire != call)
        return false;
    evy_timer_cancel(container_of(timer, struct evy_timer, timer));
    return true;
}

static evy_timer *timer_new(void (*cb)(void *), void *arg, struct green *maker)
{
    struct green *me = api_self();
    evy_timer *t = me ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->timer.fire = call;
    t->hub = me->hub;
    me->flags |= GREEN_STAYS;
    t->cb = cb;
    t->arg = arg;
    t->maker = maker && evy_gt_ref(handle_of(maker)) ? maker : NULL;
    return t;
}

EVY_API int evy_timer_schedule(evy_timer *t, double seconds)
{
    deadline_t at;
    int r = t ? api_deadline(seconds, &at) : -EINVAL;
    if (r)
        return api_edge(r);
    critical_enter();
    if (t->timer.index)
        r = -EBUSY;
    else if (at != DEADLINE_NEVER)
        r = timers_add(&t->hub->timers, &t->timer, at);
    critical_leave();
    return api_edge(r);
}

static evy_timer *call_after(double seconds, void (*cb)(void *), void *arg, struct green *maker)
{
    evy_timer *t = NULL;
    if (cb)
        t = timer_new(cb, arg, maker);
    else
        errno = EINVAL;
    if (t && evy_timer_schedule(t, seconds)) {
        evy_timer_free(t);
        return NULL;
    }
    return t;
}

EVY_API evy_timer *evy_hub_call_global(double seconds, void (*cb)(void *), void *arg)
{
    return call_after(seconds, cb, arg, NULL);
}

EVY_API evy_timer *evy_hub_call_local(double seconds, void (*cb)(void *), void *arg)
{
    return call_after(seconds, cb, arg, api_self());
}

EVY_API evy_timer *evy_timer_dup(const evy_timer *t)
{
    if (!t)
        errno = EINVAL;
    return t ? timer_new(t->cb, t->arg, t->maker) : NULL;
}

EVY_API int evy_timer_cancel(evy_timer *t)
{
    if (!t)
        return 0;
    critical_enter(); /* the hub may have gone on without us, and fire it just now */
    bool pending = t->timer.index;
    timers_remove(&t->hub->timers, &t->timer);
    critical_leave();
    return pending;
}

EVY_API int evy_timer_pending(const evy_timer *t)
{
    critical_enter();
    bool pending = t && t->timer.index && !(t->maker && gt_is(t->maker, GT_DEAD));
    critical_leave();
    return pending;
}

EVY_API void evy_timer_free(evy_timer *t)
{
    int saved = errno;
    evy_timer_cancel(t);
    if (t && t->maker)
        evy_gt_unref(handle_of(t->maker));
    free(t);
    errno = saved;
}
