#include "core/raise.h"

#include "body/critical.h"
#include "core/hub.h"
#include "core/sched.h"

#include <errno.h>

static void mark(struct green *g)
{
    atomic_fetch_or(&g->interrupted, INTERRUPT_RAISE);
}

/* Marked while anything waits for it. A kill comes from anywhere, and is stored before it is marked. */
static void mark_what_is_left(struct green *g)
{
    atomic_fetch_and(&g->interrupted, ~(unsigned)INTERRUPT_RAISE);
    if (atomic_load(&g->raises.kill) || !list_empty(&g->raises.fired))
        mark(g);
}

static void withdraw(struct raise *r)
{
    if (r->state == RAISE_ARMED)
        timers_remove(&r->owner->hub->timers, &r->timer);
    if (r->state == RAISE_ARMED || r->state == RAISE_FIRED)
        list_remove(&r->node);
}

void raises_withdraw(struct raises *r)
{
    list_for_each_safe (node, &r->armed) {
        withdraw(list_entry(node, struct raise, node));
        list_entry(node, struct raise, node)->state = RAISE_IDLE;
    }
    list_init(&r->armed);
    list_init(&r->fired);
}

/* On the loop of the owner's hub. */
static void fire(struct timer *t)
{
    struct raise *r = container_of(t, struct raise, timer);
    r->state = RAISE_FIRED;
    list_remove(&r->node);
    list_append(&r->owner->raises.fired, &r->node);
    mark(r->owner);
    sched_unpark(r->owner);
}

int raise_arm(struct raise *r, deadline_t at, int err)
{
    struct green *g = self();
    critical_enter_as(g);
    *r = (struct raise){.timer.fire = fire, .owner = g, .err = err, .state = RAISE_ARMED};
    int e = at == DEADLINE_NEVER ? 0 : timers_add(&g->hub->timers, &r->timer, at);
    if (e)
        r->state = RAISE_IDLE;
    else
        list_append(&g->raises.armed, &r->node);
    critical_leave_as(g);
    return e;
}

bool raise_cancel(struct raise *r)
{
    critical_enter();
    bool fired = r->state == RAISE_FIRED || r->state == RAISE_DELIVERED;
    withdraw(r);
    if (r->state == RAISE_FIRED)
        mark_what_is_left(r->owner);
    r->state = fired ? RAISE_DELIVERED : RAISE_IDLE;
    critical_leave();
    return fired;
}

bool raise_drop(struct timer *t)
{
    if (t->fire != fire)
        return false;
    struct raise *r = container_of(t, struct raise, timer);
    withdraw(r);
    r->state = RAISE_IDLE;
    return true;
}

void raise_kill(struct green *g, int err)
{
    atomic_store(&g->raises.kill, err);
    mark(g);
}

static int take(struct raises *rs)
{
    int err = atomic_exchange(&rs->kill, 0);
    rs->last = NULL;
    if (err || list_empty(&rs->fired))
        return err;
    struct raise *r = rs->last = list_entry(rs->fired.next, struct raise, node);
    list_remove(&r->node);
    r->state = RAISE_DELIVERED;
    return r->err;
}

int raise_take(void)
{
    struct green *g = self();
    critical_enter_as(g);
    int err = take(&g->raises);
    mark_what_is_left(g);
    critical_leave_as(g);
    return err ? err : EINTR; /* a handler has withdrawn it in between */
}
