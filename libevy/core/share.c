#include "core/share.h"

#include "base/clock.h"
#include "body/critical.h"
#include "core/apart.h"
#include "core/birth.h"
#include "core/evloop.h"
#include "core/gather.h"
#include "core/sched.h"
#include "core/sched_internal.h"

#define BUSY_NS 500000 /* a hub that has not slept for so long has too much to do */
#define IDLE_NS 50000  /* one that has slept for so long is not only between two answers */
#define GIVE_MOST 64   /* at a time */
#define LOOK_MOST 256  /* in a queue of many that may not go, at a time */
#define SHORT_NS 50000 /* between two sleeps: what it takes to wake another hub, twice */
#define TOGETHER 4     /* wake-ups in a row for so little */

static void put(_Atomic int64_t *time, int64_t ns)
{
    atomic_store_explicit(time, ns, memory_order_relaxed);
}

static int64_t get(const _Atomic int64_t *time)
{
    return atomic_load_explicit(time, memory_order_relaxed);
}

void share_sleeps(struct hub *h)
{
    if (hub_count == 1)
        return;
    int64_t now = clock_now();
    int64_t worked = now - get(&h->busy_since);
    put(&h->worked, worked);
    put(&h->slept_at, now);
    gather_slept(h, now, worked);
    green_give_back(&h->stock); /* others may run out of memory for new ones meanwhile */
}

/* A hub other than h that has been asleep for a while; NULL when there is none. */
static struct hub *idle_hub(const struct hub *h, int64_t now)
{
    for (unsigned i = 1; i < hub_count; i++) {
        struct hub *other = &hubs[(h->index + i) % hub_count];
        if (!other->apart && atomic_load_explicit(&other->asleep, memory_order_relaxed) &&
            now - get(&other->slept_at) >= IDLE_NS)
            return other;
    }
    return NULL;
}

static struct hub *rather_idle(struct hub *h)
{
    struct hub *idle = h->runnable.first ? idle_hub(h, clock_now()) : NULL;
    return idle ? idle : h;
}

struct hub *share_hub_for_new(void)
{
    struct green *me = self();
    if (unlikely(!me))
        return &hubs[0];
    if (unlikely(me->hub->apart))
        return apart_hub_for_new();
    if (likely(hub_count == 1))
        return me->hub;
    critical_enter_as(me); /* the queue is the hub's */
    struct hub *h = rather_idle(me->hub);
    critical_leave_as(me);
    return h;
}

/* Main has its carrier's stack, ranks and the promises to cooperative ones hold within a hub, armed timeouts are in
   the hub's heap. */
static bool may_go(const struct green *g)
{
    return !(g->flags & (GREEN_MAIN | GREEN_LIGHT | GREEN_COOP | GREEN_STAYS)) && !g->handlers &&
           g->priority <= 0 && list_empty(&g->raises.armed);
}

/* What ended its park has made its timer pointless. */
void share_give(struct hub *h, struct green *g, struct hub *to)
{
    timers_remove(&h->timers, &g->timer);
    g->apart = 0;
    __atomic_store_n(&g->hub, to, __ATOMIC_RELEASE);
    count(&h->moves);
    hub_ask(g, ASK_RUN);
}

/* It woke a moment ago, and had only a moment's work before. */
static bool has_little_to_do(const struct hub *h, int64_t now)
{
    return get(&h->worked) < SHORT_NS && now - get(&h->busy_since) < SHORT_NS;
}

struct hub *share_follows(struct hub *h, struct green *g)
{
    struct hub *by = atomic_load_explicit(&g->waker, memory_order_relaxed);
    if (likely(!by))
        return NULL;
    atomic_store_explicit(&g->waker, NULL, memory_order_relaxed);
    int64_t now = __atomic_load_n(&h->tick, __ATOMIC_RELAXED);
    if (by == h || by->apart || h->apart || g->wake != WAKE_PARKED || !may_go(g) ||
        !evloop_edge_triggered(h) || !has_little_to_do(h, now) || !has_little_to_do(by, now))
        g->apart = 0;
    else if (++g->apart == TOGETHER)
        return by;
    return NULL;
}

/* Every second one that may go, or each. */
static void give_some(struct hub *h, struct hub *to, bool all)
{
    struct inbox_node **at = &h->runnable.first;
    unsigned looked = 0, seen = 0, given = 0;
    while (*at && given < GIVE_MOST && looked++ < LOOK_MOST) {
        struct green *g = container_of(*at, struct green, link);
        if (may_go(g) && (all || seen++ % 2)) {
            *at = g->link.next;
            share_give(h, g, to);
            given++;
        } else {
            at = &g->link.next;
        }
    }
    if (!*at)
        h->runnable.last = at;
}

/* What computes on its old carrier comes back, and would hold the others up again: then all go. */
void share_ready(struct hub *h, int64_t now)
{
    if (!evloop_edge_triggered(h) || h->apart)
        return;
    struct hub *to = gather_to(h, now);
    if (to) {
        give_some(h, to, true);
        return;
    }
    int64_t busy = now - get(&h->busy_since);
    if (!h->abandoned && (busy < BUSY_NS || gather_holds(h, now, busy)))
        return;
    to = idle_hub(h, now);
    if (to)
        give_some(h, to, h->abandoned);
}
