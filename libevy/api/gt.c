/* What can be asked of a green thread: to wait for it, to kill it, its state and name. */
#include "api/gt.h"

#include "base/sys.h"
#include "core/hub.h"
#include "core/raise.h"
#include "core/sched.h"
#include "real/real.h"

#include <math.h>
#include <string.h>

static int sleep_natively(double seconds)
{
    struct timespec ts = ns_to_timespec(seconds >= 9e9 ? INT64_MAX : (int64_t)(seconds * 1e9));
    return REAL(nanosleep)(&ts, NULL);
}

/* A wait for nothing but the time, or for one turn of the hub: others run, also if the time is over before it begins. */
static int sleep_until(deadline_t d)
{
    const atomic_uint nothing = 0;
    const struct green *g = self();
    unsigned switches = g ? atomic_load(&g->hub->switches) : 0;
    int r;
    do
        r = api_wait(&nothing, 0, d);
    while (r == 0);
    if (r == -ETIMEDOUT && g && atomic_load(&g->hub->switches) == switches)
        sched_yield_to_io();
    return r == -ETIMEDOUT ? 0 : r;
}

EVY_API int evy_sleep(double seconds)
{
    deadline_t d;
    struct green *g = self();
    if (!(seconds > 0) && !isnan(seconds) && g && g->flags & GREEN_LOOP)
        return 0;
    if (!g && hub_count && !isnan(seconds))
        return sleep_natively(seconds);
    int r = api_deadline(seconds, &d);
    return api_edge(
        r ? r : sleep_until(seconds > 0 ? d : 1)); /* 1: has passed, without a look at the clock */
}

EVY_API int evy_cede(void)
{
    int r = api_may_wait();
    struct green *g = self();
    if (unlikely(r || !g))
        return api_edge(r);
    sched_yield_now();
    if (unlikely(atomic_load_explicit(&g->interrupted, memory_order_relaxed) & INTERRUPT_RAISE))
        return api_edge(-ERAISED);
    return 0;
}

EVY_API evy_gt *evy_getcurrent(void)
{
    return handle_of(api_self());
}

EVY_API unsigned long evy_ident(void)
{
    return (unsigned long)self();
}

static int check_waitable(const struct green *g)
{
    if (!gt_is_ours(g) || gt_is(g, GT_NO_RESULT))
        return -EINVAL;
    return 0;
}

static inline int wait_until(struct green *g, void **result, deadline_t d)
{
    int r = check_waitable(g);
    if (r == 0 && g == self() && !gt_is(g, GT_ENDED))
        r = -EDEADLK;
    while (r == 0 && !gt_is(g, GT_ENDED))
        r = api_wait(&g->done, atomic_load(&g->done), d);
    if (r)
        return r;
    if (g->gt.error)
        return -g->gt.error;
    if (result)
        *result = g->result;
    return 0;
}

EVY_API int evy_gt_wait(evy_gt *g, void **result)
{
    return api_edge(wait_until(green_of(g), result, DEADLINE_NEVER));
}

EVY_API int evy_gt_wait_timeout(evy_gt *g, void **result, double seconds)
{
    deadline_t d;
    int r = api_deadline(seconds, &d);
    return api_edge(r ? r : wait_until(green_of(g), result, d));
}

EVY_API int evy_waitall(evy_gt *const *gts, size_t count, void **results)
{
    if (count && !gts)
        return api_edge(-EINVAL);
    for (size_t i = 0; i < count; i++)
        if (evy_gt_wait(gts[i], results ? &results[i] : NULL))
            return -1;
    return 0;
}

EVY_API int evy_gt_error(evy_gt *handle)
{
    struct green *g = green_of(handle);
    if (!g)
        return EINVAL;
    return gt_is_ours(g) && gt_is(g, GT_ENDED) ? g->gt.error : 0;
}

EVY_API int evy_gt_started(evy_gt *handle)
{
    struct green *g = green_of(handle);
    if (!g || gt_is(g, GT_ENDED))
        return 0;
    return !gt_is_ours(g) || gt_is(g, GT_STARTED);
}

EVY_API int evy_gt_dead(evy_gt *handle)
{
    struct green *g = green_of(handle);
    return !g || gt_is(g, gt_is_ours(g) ? GT_DEAD : THREAD_DONE);
}

/* Nobody but its hub's carrier can tell whether one has begun. */
static bool not_begun(const struct green *g)
{
    return gt_is_ours(g) && hub_is_here(g->hub) && !gt_is(g, GT_STARTED | GT_ENDED);
}

static void interrupt(struct green *g, int err)
{
    const struct green *me = self();
    raise_kill(g, err);
    if (me && me->hub == g->hub && !(me->flags & GREEN_LOOP))
        sched_yield_to(g);
    else
        sched_unpark(g);
}

EVY_API int evy_kill(evy_gt *handle, int err)
{
    struct green *g = green_of(handle);
    if (!g || err < 0)
        return api_edge(-EINVAL);
    err = err ? err : ECANCELED;
    if (evy_gt_dead(handle))
        return 0;
    if (not_begun(g)) {
        gt_end_unstarted(g, err);
    } else if (g == self()) {
        errno = err;
        return -1;
    } else {
        interrupt(g, err);
    }
    return 0;
}

EVY_API int evy_killall(evy_gt *const *gts, size_t count, int err)
{
    if (count && !gts)
        return api_edge(-EINVAL);
    for (size_t i = 0; i < count; i++)
        if (evy_cancel(gts[i], err) < 0) /* before the first kill lets them begin */
            return -1;
    for (size_t i = 0; i < count; i++)
        evy_kill(gts[i], err);
    return 0;
}

EVY_API int evy_cancel(evy_gt *handle, int err)
{
    struct green *g = green_of(handle);
    if (!g || err < 0)
        return api_edge(-EINVAL);
    if (!not_begun(g))
        return 0;
    gt_end_unstarted(g, err ? err : ECANCELED);
    return 1;
}

EVY_API int evy_interrupt_main(int err)
{
    if (!hub_count || err < 0) {
        errno = hub_count ? EINVAL : EPERM;
        return -1;
    }
    raise_kill(main_thread(), err ? err : ECANCELED);
    sched_unpark_async(main_thread());
    return 0;
}

EVY_API int evy_gt_set_name(evy_gt *handle, const char *name)
{
    struct green *g = green_of(handle);
    if (!g || !name)
        return api_edge(-EINVAL);
    if (strlen(name) >= sizeof g->name)
        return api_edge(-ERANGE);
    strcpy(g->name, name);
    return 0;
}

EVY_API const char *evy_gt_name(evy_gt *handle)
{
    return handle ? green_of(handle)->name : "";
}
