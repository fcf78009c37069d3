/* What a hub's own context does: looks at the outside world, then runs who is ready. */
#include "base/sys.h"
#include "body/annotate.h"
#include "body/critical.h"
#include "core/apart.h"
#include "core/evloop.h"
#include "core/hub.h"
#include "core/monitor.h"
#include "core/sched_internal.h"
#include "core/share.h"

/* Switches between two polls of I/O: long enough to make the poll's cost vanish, short enough that
   readiness is seen within some ten microseconds. Fewer where turns are long. */
#define BUDGET 128
#define ROUND_NS 1000000

/* From one yield to the kernel to the next: far less than it would take the processor away for by itself. */
#define YIELD_NS 20000

/* What others have asked for g, whose note was in h's inbox. As soon as nothing is asked g may vanish. */
static void answer(struct hub *h, struct green *g)
{
    if (unlikely(green_hub(g) != h)) { /* it has been given away since */
        hub_send(g);
        return;
    }
    if (observes(OBSERVE_FIBERS))
        annotate_answer(g);
    struct hub *to = NULL;
    unsigned done = 0, asked = atomic_load(&g->asked);
    do {
        if (asked & ~done & ASK_RUN)
            run_queue_push(unlikely(h->abandoned) ? &h->after_poll : &h->runnable, g);
        if (asked & ~done & ASK_WAKE && !(to = share_follows(h, g)))
            sched_wake(h, g);
        done = asked;
    } while (!atomic_compare_exchange_strong(&g->asked, &asked, 0));
    if (unlikely(to != NULL)) {
        g->wake = WAKE_NOTIFIED;
        trace(h, TRACE_WAKE, g);
        share_give(h, g, to);
    }
}

void sched_take_inbox(struct hub *h)
{
    struct inbox_node *node = inbox_take(&h->inbox);
    while (node) {
        struct inbox_node *next = node->next;
        answer(h, container_of(node, struct green, note));
        node = next;
    }
}

static void fire_timers(struct hub *h, int64_t now)
{
    struct timer *t;
    while ((t = timers_pop(&h->timers, now))) {
        if (t->fire) {
            t->fire(t);
            continue;
        }
        struct green *g = container_of(t, struct green, timer);
        g->timed_out = true;
        sched_wake(h, g);
    }
}

/* As from the kernel's real-time threads, the others get something now and then: once a second the last one runs. */
static EVY_COLD void relieve(struct hub *h)
{
    int64_t now = clock_now();
    struct inbox_node **at = &h->runnable.first, *last;
    if (h->relieved == 0)
        h->relieved = now;
    if (now - h->relieved < NSEC_PER_SEC || !(*at)->next)
        return;
    h->relieved = now;
    while ((*at)->next)
        at = &(*at)->next;
    last = *at;
    *at = NULL;
    h->runnable.last = at;
    last->next = h->runnable.first;
    h->runnable.first = last;
}

static void make_calls(struct hub *h)
{
    struct inbox_node *node = inbox_take(&h->calls);
    while (node) {
        struct hub_call *c = container_of(node, struct hub_call, link);
        node = node->next;
        c->fn(c);
    }
}

/* The outside world has been looked at. */
static void polled(struct hub *h, bool slept, int64_t now)
{
    int64_t took = now - h->tick;
    __atomic_store_n(&h->tick, now, __ATOMIC_RELAXED);
    if (!slept && took >= ROUND_NS)
        h->round = h->round > 1 ? h->round / 2 : 1;
    else if (h->round < BUDGET)
        h->round *= 2;
    if (slept)
        share_woke(h, now);
}

/* Where all did nothing but yield they wait for who runs elsewhere: another hub, another process. Natively each of their
   yields would be one to the kernel. */
static void yield_processor(struct hub *h)
{
    bool yields = h->yields >= h->round;
    h->yields = 0;
    if (likely(!yields) || h->tick - h->yielded_at < YIELD_NS)
        return;
    h->yielded_at = h->tick;
    sys_yield();
}

/* Where a hub was taken from one that computes, those ready behind it may be like it, and each costs a hand-off: who has
   waited and is woken, or comes back, goes before them, as the kernel has it. Every other time the first of them goes
   first. */
struct rest {
    struct run_queue ready; /* those who were ready before */
    struct green *first;    /* of them; NULL: those who are woken go first */
    bool taken;             /* they are kept here */
};

static EVY_COLD void rest_take(struct rest *r, struct hub *h)
{
    if (sched_has_ready(h, 0)) /* priorities decide */
        return;
    r->taken = true;
    run_queue_append(&r->ready, &h->runnable);
    h->favours_woken = !h->favours_woken;
    if (!h->favours_woken)
        r->first = run_queue_pop(&r->ready);
}

static EVY_COLD void rest_put_back(struct rest *r, struct hub *h)
{
    run_queue_append(&h->runnable, &r->ready);
    if (r->first)
        run_queue_push_first(&h->runnable, r->first);
}

/* One look at the outside world; sleeps in the kernel when there is nothing to run. */
static void look_around(struct hub *h)
{
    struct rest rest = {.taken = false};
    run_queue_init(&rest.ready);
    if (unlikely(h->abandoned))
        rest_take(&rest, h);
    if (unlikely(h->apart && h->residents == 0))
        apart_leave(h);
    if (unlikely(atomic_load_explicit(&h->chore, memory_order_relaxed)) &&
        atomic_exchange(&h->chore, 0))
        signal_hooks.chore();
    make_calls(h);
    yield_processor(h);
    sched_take_inbox(h);
    if (timers_next(&h->timers) != DEADLINE_NEVER)
        fire_timers(h, clock_now());
    h->sleep_until = 0;
    if (!h->runnable.first && !h->after_poll.first && !rest.ready.first && !rest.first) {
        h->sleep_until = timers_next(&h->timers);
        share_sleeps(h);
        atomic_store_explicit(&h->asleep, 1, memory_order_seq_cst);
        if (!inbox_empty(&h->inbox) || !inbox_empty(&h->retired) || !inbox_empty(&h->calls) ||
            atomic_load(&h->chore))
            h->sleep_until = 0;
    }
    bool sleeps = h->sleep_until != 0;
    if (!h->runnable.first || h->watches)
        evloop_poll(h);
    atomic_store_explicit(&h->asleep, 0, memory_order_relaxed);
    int64_t now = clock_now();
    polled(h, sleeps, now);
    sched_take_inbox(h);
    run_queue_append(&h->runnable, &h->after_poll);
    fire_timers(h, now);
    if (unlikely(rest.taken))
        rest_put_back(&rest, h);
    if (unlikely(sched_has_ready(h, 0)))
        relieve(h);
    else
        h->relieved = 0;
    share(h, now);
    h->abandoned = false;
    if (h->runnable.first)
        monitor_rouse();
}

void sched_loop(struct hub *h)
{
    h->round = BUDGET;
    sched_arrived();
    for (;;) {
        if (owned_get(&h->budget) <= 0 || !h->runnable.first) {
            look_around(h);
            owned_set(&h->budget, h->round + 1);
        }
        struct green *g = sched_pick(h);
        if (g != &h->loop)
            sched_switch_to(&h->loop, g);
    }
}
