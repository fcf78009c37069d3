/* Green threads that begin later. */
#include "api/gt.h"

#include "body/critical.h"
#include "core/hub.h"
#include "core/sched.h"

/* On the hub's loop. */
static void start_now(struct timer *t)
{
    struct green *g = container_of(t, struct green, timer);
    struct green *spawner = g->gt.spawner;
    t->fire = NULL;
    g->gt.spawner = NULL;
    atomic_fetch_and(&g->done, ~(unsigned)GT_DELAYED);
    sched_start(g);
    if (!spawner)
        return;
    if (gt_is(spawner, GT_DEAD))
        gt_end_unstarted(g, ECANCELED);
    evy_gt_unref(handle_of(spawner));
}

/* Off the hub's run queue until the timer fires: not counted there. */
static evy_gt *spawn_after(double seconds, struct green *spawner, evy_fn fn, void *arg)
{
    deadline_t at;
    int err = api_deadline(seconds, &at);
    if (err) {
        errno = -err;
        return NULL;
    }
    struct green *g = gt_make(NULL, 0, fn, arg);
    if (!g)
        return NULL;
    if (!(seconds > 0)) {
        gt_run(g);
        return handle_of(g);
    }
    gt_set(g, GT_DELAYED);
    g->timer.fire = start_now;
    g->gt.spawner =
        spawner && evy_gt_ref(handle_of(spawner)) ? spawner : NULL; /* main does not end */
    critical_enter();
    err = at == DEADLINE_NEVER ? 0 : timers_add(&g->hub->timers, &g->timer, at);
    critical_leave();
    if (err) {
        gt_end_unstarted(g, -err);
        evy_gt_unref(handle_of(g));
        errno = -err;
        return NULL;
    }
    return handle_of(g);
}

EVY_API evy_gt *evy_spawn_after(double seconds, evy_fn fn, void *arg)
{
    return spawn_after(seconds, NULL, fn, arg);
}

EVY_API evy_gt *evy_spawn_after_local(double seconds, evy_fn fn, void *arg)
{
    return spawn_after(seconds, api_self(), fn, arg);
}
