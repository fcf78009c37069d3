#include "core/handoff.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "body/critical.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "core/monitor.h"
#include "core/trace.h"

#include <errno.h>

#define SOON_NS 10000000

/* g runs program code and h follows another carrier from here on. */
static void strand(struct green *g, struct hub *h, struct carrier *spare)
{
    g->stranded_on = h->carrier;
    g->since = clock_coarse();
    bool declared = atomic_load_explicit(&g->blocks, memory_order_relaxed) != BLOCKS_NOT;
    if (g->flags & GREEN_COOP && /* its code, or its TCB, is in use */
        (!declared || (g->flags & GREEN_LIGHT && !g->lender)))
        __atomic_store_n(&h->astray, g, __ATOMIC_RELEASE);
    trace(h, TRACE_HANDOFF, g);
    atomic_store_explicit(&h->current, &h->loop, memory_order_relaxed);
    atomic_store(&g->stranded, STRANDED);
    atomic_fetch_add_explicit(&h->hand_offs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->declared, declared, memory_order_relaxed);
    carrier_give(spare, h);
}

/* What h runs, kept from vanishing until h->inspected is cleared; NULL when that is its loop, or changes. A
   switch stores current, then loads inspected, as cheaply as below. */
static struct green *inspect(struct hub *h)
{
    struct green *g = atomic_load(&h->current);
    if (g == &h->loop)
        return NULL;
    atomic_store(&h->inspected, g);
    return sys_membarrier() && atomic_load(&h->current) == g ? g : NULL;
}

static bool in_handler(const struct green *g)
{
    return __atomic_load_n(&g->handlers, __ATOMIC_RELAXED) != NULL;
}

static bool in_program(const struct hub *h, const struct green *g)
{
    return __atomic_load_n(&g->critical, __ATOMIC_ACQUIRE) == 0 && !in_handler(g) &&
           atomic_load(&h->current) == g;
}

/* A critical section begins with a store (critical) and a load (stranded), and must stay that cheap: the order
   between the two is forced from this side, by membarrier. Either we see the section, or it sees the claim. The second
   one makes us see what its last section did. */
static bool try_strand(struct green *g, struct hub *h, struct carrier *spare)
{
    unsigned expected = STRANDED_NOT;
    if (!atomic_compare_exchange_strong(&g->stranded, &expected, STRANDED_CLAIMED))
        return false;
    if (sys_membarrier() && in_program(h, g) && sys_membarrier()) {
        log_debug("hub %u goes to another carrier", h->index);
        h->abandoned = atomic_load(&g->blocks) == BLOCKS_NOT;
        if (!g->cpu_from) /* its turn, in which it computes, began before that */
            g->cpu_from = h->cpu_seen;
        strand(g, h, spare);
        return true;
    }
    atomic_store(&g->stranded, STRANDED_NOT);
    return false;
}

bool handoff_take_over(struct hub *h)
{
    struct green *g = inspect(h);
    struct carrier *spare = NULL;
    if (g && !in_handler(g) && !(spare = carrier_take_spare()))
        spare = carrier_make_spare();
    bool taken = spare && try_strand(g, h, spare);
    if (spare && !taken)
        carrier_put_spare(spare);
    atomic_store(&h->inspected, NULL);
    return taken;
}

/* Ready to run, or by the time the monitor would see to it. */
static bool others_need(const struct hub *h)
{
    return h->runnable.first || h->after_poll.first ||
           (h->timers.count && deadline_left(timers_next(&h->timers)) < SOON_NS);
}

/* g, in a critical section, so that no monitor takes h first, gives it away if somebody needs it. */
static void leave_hub(struct green *g, struct hub *h)
{
    if (h->apart || !others_need(h))
        return;
    struct carrier *spare = carrier_take_spare();
    if (!spare) {
        atomic_store(&h->wanted, 1); /* only the monitor makes carriers */
        monitor_hurry();
        return;
    }
    unsigned expected = STRANDED_NOT;
    while (!atomic_compare_exchange_strong(&g->stranded, &expected, STRANDED_CLAIMED)) {
        expected = STRANDED_NOT;
        sys_yield(); /* the monitor has just looked, and sees the critical section */
    }
    strand(g, h, spare);
}

void blocking_begin(void)
{
    struct green *g = self();
    if (!g)
        return;
    critical_enter_as(g);
    if (!g->handlers)
        leave_hub(g, g->hub);
    critical_leave_quietly(g);
    if (unlikely(atomic_load(&g->interrupted) & INTERRUPT_SIGNAL)) {
        critical_enter_as(g);
        critical_leave_as(g);
    }
}

void blocking_end(void)
{
    struct green *g = self();
    if (!g)
        return;
    int saved = errno;
    critical_enter_as(g);
    atomic_store_explicit(&g->hub->wanted, 0, memory_order_relaxed);
    critical_leave_as(g);
    errno = saved;
}
