/* Making green threads, and their ends. */
#include "api/debug.h"
#include "api/gt.h"

#include "base/config.h"
#include "base/log.h"
#include "body/tcb.h"
#include "core/birth.h"
#include "core/hub.h"
#include "core/light.h"
#include "core/raise.h"
#include "core/sched.h"

#include <limits.h>
#include <string.h>

#define STACK_LEAST ((size_t)16384)
#define GUARD ((size_t)4096)

EVY_API int evy_set_stack_size(size_t bytes)
{
    if (bytes < STACK_LEAST) {
        errno = EINVAL;
        return -1;
    }
    config.stack = bytes;
    return 0;
}

EVY_API evy_gt *evy_gt_ref(evy_gt *handle)
{
    struct green *g = green_of(handle);
    if (!gt_is_ours(g)) {
        errno = EINVAL;
        return NULL;
    }
    atomic_fetch_add_explicit(&g->gt.refs, 1, memory_order_relaxed);
    return handle;
}

static void gt_free(struct green *g)
{
    if (g->flags & GREEN_LIGHT)
        light_free(g);
    else
        green_free(g);
}

/* Who has the only reference need not count atomically. */
static void unref(struct green *g)
{
    if (atomic_load_explicit(&g->gt.refs, memory_order_acquire) == 1 ||
        atomic_fetch_sub_explicit(&g->gt.refs, 1, memory_order_acq_rel) == 1)
        gt_free(g);
}

EVY_API void evy_gt_unref(evy_gt *handle)
{
    struct green *g = green_of(handle);
    if (!gt_is_ours(g))
        return;
    critical_enter();
    unref(g);
    critical_leave();
}

static void off_stack(void *arg)
{
    unref(arg);
}

static void run_cleanups(struct green *g)
{
    struct list *cleanups = &g->gt.cleanups;
    while (!list_empty(cleanups)) {
        evy_cleanup *c = (evy_cleanup *)cleanups->next;
        list_remove(cleanups->next);
        c->fn(c->arg);
    }
}

/* Results first: who waits is scheduled, and goes on after the links. */
static void announce(struct green *g, void *result, int err)
{
    g->result = result;
    g->gt.error = err;
    gt_set(g, GT_ENDED);
    if (!gt_is(g, GT_NO_RESULT))
        lot_unpark(&g->done, UINT_MAX);
    if (unlikely(g->gt.pool != NULL))
        pool_member_ends(g);
    if (unlikely(!list_empty(&g->gt.links)))
        links_run(g);
}

/* Ends g, the running one: the caller returns from its body, or leaves by sched_exit. */
static void end(struct green *g, void *result, int err)
{
    g->result = result;
    g->gt.error = err;
    if (unlikely(err && err != ECANCELED))
        debug_ended_with(g, err);
    if (unlikely(!list_empty(&g->gt.cleanups)))
        run_cleanups(g);
    announce(g, result, err);
    if (unlikely(g->gt.locals != NULL))
        locals_end(g);
    gt_set(g, GT_DEAD);
    if (!(g->flags & GREEN_LIGHT))
        tcb_end();
}

void gt_end_unstarted(struct green *g, int err)
{
    bool delayed = gt_is(g, GT_DELAYED);
    critical_enter();
    timers_remove(&g->hub->timers, &g->timer);
    critical_leave();
    announce(g, NULL, err);
    gt_set(g, GT_DEAD);
    if (g->gt.spawner)
        evy_gt_unref(handle_of(g->gt.spawner));
    if (delayed) /* else it ends when its turn comes */
        evy_gt_unref(handle_of(g));
}

void gt_finish_inline(struct green *g, void *result)
{
    announce(g, result, 0);
    gt_set(g, GT_DEAD);
    evy_gt_unref(handle_of(g));
}

static void run(struct green *g)
{
    if (unlikely(
            atomic_load_explicit(&g->raises.kill, memory_order_relaxed))) { /* from another hub */
        end(g, NULL, raise_take());
        return;
    }
    gt_set(g, GT_STARTED);
    end(g, g->start(g->arg), 0);
}

static void body(struct green *g)
{
    if (likely(!gt_is(g, GT_DEAD)))
        run(g);
    sched_end(off_stack, g);
}

EVY_API void evy_exit(void *result)
{
    struct green *g = self();
    if (!gt_is_ours(g))
        evy_pthread_exit(result);
    end(g, result, 0);
    sched_exit(off_stack, g);
}

EVY_API void evy_exit_error(int err)
{
    struct green *g = self();
    if (!gt_is_ours(g))
        evy_pthread_exit(NULL);
    end(g, NULL, err > 0 ? err : ECANCELED);
    sched_exit(off_stack, g);
}

EVY_API int evy_cleanup_push(evy_cleanup *c, void (*fn)(void *), void *arg)
{
    struct green *g = self();
    if (!gt_is_ours(g) || !c || !fn) {
        errno = gt_is_ours(g) ? EINVAL : EPERM;
        return -1;
    }
    c->fn = fn;
    c->arg = arg;
    list_append(g->gt.cleanups.next,
                (struct list *)c->opaque); /* before the first: innermost first */
    return 0;
}

EVY_API int evy_cleanup_pop(int run)
{
    struct green *g = self();
    if (!gt_is_ours(g) || list_empty(&g->gt.cleanups)) {
        errno = gt_is_ours(g) ? EINVAL : EPERM;
        return -1;
    }
    evy_cleanup *c = (evy_cleanup *)g->gt.cleanups.next;
    list_remove(g->gt.cleanups.next);
    if (run)
        c->fn(c->arg);
    return 0;
}

static int attr_check(const evy_attr *attr)
{
    if ((attr->stack && attr->stack < STACK_LEAST) || attr->flags & ~(unsigned)EVY_OWN_TCB)
        return -EINVAL;
    return attr->name && strlen(attr->name) >= sizeof((struct green *)0)->name ? -EINVAL : 0;
}

static struct green *make_own_tcb(size_t stack, int *err)
{
    struct green *g = green_new(stack, GUARD, body, err);
    if (!g)
        return NULL;
    g->flags |= GREEN_COOP;
    g->hub = this_hub();
    return g;
}

static struct green *make(const evy_attr *attr, int *err)
{
    size_t stack = attr && attr->stack ? attr->stack : light_stack_default();
    bool own = config.patch & SUBSET_THREAD || (attr && attr->flags & EVY_OWN_TCB);
    *err = attr ? attr_check(attr) : 0;
    if (*err)
        return NULL;
    return unlikely(own) ? make_own_tcb(stack, err) : light_new(stack, body, err);
}

static void equip(struct green *g, unsigned state, evy_fn fn, void *arg)
{
    struct gt *t = &g->gt;
    g->start = fn;
    g->arg = arg;
    atomic_store_explicit(&g->done, state, memory_order_relaxed);
    atomic_store_explicit(&t->refs, state & GT_NO_RESULT ? 1 : 2, memory_order_relaxed);
    list_init(&t->links);
    list_init(&t->cleanups);
    t->error = 0;
    t->spawner = NULL;
    t->pool = NULL;
}

struct green *gt_make(const evy_attr *attr, unsigned state, evy_fn fn, void *arg)
{
    int err = -EINVAL;
    struct green *g = NULL, *me = api_self();
    if (!me)
        return NULL;
    critical_enter_as(me);
    if (likely(fn != NULL))
        g = make(attr, &err);
    if (likely(g != NULL))
        equip(g, state, fn, arg);
    critical_leave_as(me);
    if (unlikely(!g))
        errno = -err;
    else if (unlikely(attr && attr->name))
        strcpy(g->name, attr->name);
    return g;
}

void gt_run(struct green *g)
{
    sched_start(g);
}

static evy_gt *spawn(const evy_attr *attr, unsigned state, evy_fn fn, void *arg)
{
    struct green *g = gt_make(attr, state, fn, arg);
    if (likely(g != NULL))
        gt_run(g);
    return handle_of(g);
}

EVY_API evy_gt *evy_spawn(evy_fn fn, void *arg)
{
    return spawn(NULL, 0, fn, arg);
}

EVY_API evy_gt *evy_spawn_n(evy_fn fn, void *arg)
{
    return spawn(NULL, GT_NO_RESULT, fn, arg);
}

EVY_API evy_gt *evy_spawn_ex(const evy_attr *attr, evy_fn fn, void *arg)
{
    return spawn(attr, 0, fn, arg);
}
