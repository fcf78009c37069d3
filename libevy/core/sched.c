#include "core/sched.h"

#include "base/log.h"
#include "base/sys.h"
#include "body/annotate.h"
#include "body/critical.h"
#include "core/altstack.h"
#include "core/hub.h"
#include "core/light.h"
#include "core/observed_switch.h"
#include "core/raise.h"
#include "core/sched_internal.h"
#include "core/share.h"
#include "core/stats.h"
#include "segment.h"
#include "tp.h"

#include <errno.h>

/* Everything about a switch but the jump, to be made with what this returns. */
static EVY_INLINE struct context_next depart(struct green *from, struct green *to)
{
    struct hub *h = to->hub;
    uintptr_t tp = to->tp == from->tp ? 0 : to->tp;
    light_switch(from, to);
    if (observes(OBSERVE_SWITCHES))
        observed_switch(h, from, to);
    atomic_store_explicit(&h->current, to, memory_order_relaxed);
    count(&h->switches);
    if (unlikely(tp && !tp_fast)) {
        tp_set(tp);
        tp = 0;
    }
    return (struct context_next){&to->ctx, tp};
}

static inline void arrive(void)
{
    struct green *g = self();
    struct hub *h = g->hub;
    altstack_arrived(g); /* before anybody may know that who left has ended */
    if (unlikely(h->after != NULL)) {
        while (unlikely(atomic_load_explicit(&h->inspected, memory_order_acquire) != NULL))
            sys_yield(); /* the memory of who left is about to go */
        void (*after)(void *) = h->after;
        h->after = NULL;
        after(h->after_arg);
    }
}

/* Inlined: each return on the way back from a switch that led somewhere else is mispredicted. */
static EVY_INLINE void switch_to(struct green *from, struct green *to)
{
    struct context_next next = depart(from, to);
    context_switch(&from->ctx, next.to, next.tp);
    arrive();
}

void sched_switch_to(struct green *from, struct green *to)
{
    switch_to(from, to);
}

void sched_arrived(void)
{
    arrive();
}

/* While a cooperative green thread runs on another carrier, the others of its hub wait for its return. */
static EVY_COLD bool held_back(struct hub *h, struct green *g)
{
    if (g == h->astray) {
        __atomic_store_n(&h->astray, NULL, __ATOMIC_RELEASE);
        run_queue_append(&h->runnable, &h->held);
        return false;
    }
    if (g->flags & GREEN_COOP)
        run_queue_push(&h->held, g);
    return g->flags & GREEN_COOP;
}

static inline struct green *pick(struct hub *h)
{
    if (likely(owned_add(&h->budget, -1) > 0)) {
        struct green *g = run_queue_pop(&h->runnable);
        while (unlikely(h->astray != NULL) && g && held_back(h, g))
            g = run_queue_pop(&h->runnable);
        if (likely(g != NULL))
            return g;
    }
    return &h->loop;
}

struct green *sched_pick(struct hub *h)
{
    return pick(h);
}

static EVY_INLINE void leave(struct green *g)
{
    struct green *next = pick(g->hub);
    if (next != g)
        switch_to(g, next);
}

static EVY_INLINE void park(struct green *g)
{
    if (likely(g->wake == WAKE_RUNNING)) {
        g->wake = WAKE_PARKED;
        g->since = g->hub->tick;
        leave(g);
    }
    g->wake = WAKE_RUNNING;
}

static EVY_NOINLINE int park_until(struct green *g, deadline_t deadline)
{
    int r = timers_add(&g->hub->timers, &g->timer, deadline);
    if (r)
        return r;
    g->timed_out = false;
    park(g);
    timers_remove(&g->hub->timers, &g->timer);
    return g->timed_out ? -ETIMEDOUT : 0;
}

int sched_park(deadline_t deadline)
{
    struct green *g = self();
    if (unlikely(g->handlers != NULL))
        signal_hooks.parking(g);
    if (unlikely(deadline != DEADLINE_NEVER))
        return park_until(g, deadline);
    park(g);
    return 0;
}

void sched_unpark(struct green *g)
{
    struct green *me = self();
    if (unlikely(!me)) {
        hub_ask(g, ASK_WAKE);
        return;
    }
    critical_enter_as(me);
    if (likely(green_hub(g) == me->hub)) {
        sched_wake(me->hub, g);
    } else {
        atomic_store_explicit(&g->waker, me->flags & GREEN_LOOP ? NULL : me->hub,
                              memory_order_relaxed);
        hub_ask(g, ASK_WAKE);
    }
    critical_leave_as(me);
}

void sched_unpark_async(struct green *g)
{
    hub_ask(g, ASK_WAKE);
}

void sched_yield_now(void)
{
    struct green *g = self();
    if (unlikely(g->flags & GREEN_LOOP))
        return;
    critical_enter_as(g);
    g->hub->yields++;
    run_queue_push(&g->hub->runnable, g);
    leave(g);
    critical_leave_as(g);
}

void sched_yield_to_io(void)
{
    struct green *g = self();
    critical_enter_as(g);
    run_queue_push(&g->hub->after_poll, g);
    leave(g);
    critical_leave_as(g);
}

bool sched_yield_to(struct green *g)
{
    struct green *me = self();
    critical_enter_as(me);
    bool parked = g->wake == WAKE_PARKED;
    g->wake = WAKE_NOTIFIED;
    if (parked)
        run_queue_push_first(&me->hub->runnable, g);
    run_queue_push(&me->hub->runnable, me);
    leave(me);
    critical_leave_as(me);
    return parked;
}

void sched_tick(void)
{
    struct green *g = self();
    critical_enter_as(g);
    bool enough = owned_add(&g->hub->budget, -1) <= 0;
    critical_leave_as(g);
    if (unlikely(enough))
        sched_yield_now();
}

void sched_start(struct green *g)
{
    struct green *me = self();
    bool thread = !(g->flags & GREEN_LIGHT);
    if (observes(OBSERVE_STATS))
        stats_started();
    if (unlikely(!me)) {
        atomic_fetch_add(&g->hub->adopted, thread);
        hub_ask(g, ASK_RUN);
        return;
    }
    if (observes(OBSERVE_SEGMENT))
        g->segment = segment_get();
    critical_enter_as(me);
    if (thread)
        count(&me->hub->born);
    if (likely(me->hub == g->hub)) {
        g->hub->residents++;
        run_queue_push(&g->hub->runnable, g);
    } else {
        hub_ask(g, ASK_RUN);
    }
    critical_leave_as(me);
}

static void moved(void *arg)
{
    hub_ask(arg, ASK_RUN);
}

void sched_move(struct hub *to)
{
    struct green *g = self();
    struct hub *h = g->hub;
    check(h->after == NULL);
    h->after = moved;
    h->after_arg = g;
    struct green *next = sched_pick(h);
    __atomic_store_n(&g->hub, to, __ATOMIC_RELEASE);
    sched_switch_to(g, next);
}

/* Births are read last: whoever has ended here has been seen to be born. */
unsigned sched_alive(void)
{
    unsigned ended = 0, born = 0;
    for (unsigned i = 0; i < hub_count; i++)
        ended += atomic_load(&hubs[i].ended);
    for (unsigned i = 0; i < hub_count; i++)
        born += atomic_load(&hubs[i].born) + atomic_load(&hubs[i].adopted);
    return born - ended;
}

void sched_end(void (*after)(void *), void *arg)
{
    struct green *g = self();
    critical_enter_as(g); /* for ever */
    struct hub *h = g->hub;
    while (unlikely(atomic_load_explicit(&g->asked, memory_order_relaxed)))
        sched_take_inbox(h); /* its note goes with its memory */
    raises_forget(&g->raises);
    h->residents--;
    if (!(g->flags & GREEN_LIGHT))
        count(&h->ended);
    if (observes(OBSERVE_STATS) && !(g->flags & GREEN_MAIN))
        stats_ended();
    check(h->after == NULL);
    h->after = after;
    h->after_arg = arg;
}

EVY_UNSEEN struct context_next sched_last(void)
{
    struct green *g = self();
    return depart(g, pick(g->hub));
}

void sched_exit(void (*after)(void *), void *arg)
{
    struct green *g = self();
    sched_end(after, arg);
    struct context_next next = sched_last();
    context_switch(&g->ctx, next.to, next.tp);
    __builtin_unreachable();
}
