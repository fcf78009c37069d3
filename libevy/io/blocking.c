#include "io/blocking.h"

#include "base/config.h"
#include "body/annotate.h"
#include "body/critical.h"
#include "body/tcb.h"
#include "core/birth.h"
#include "core/handoff.h"
#include "core/hub.h"
#include "core/lot.h"
#include "core/raise.h"
#include "sync/cancel.h"
#include "tp.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>

static atomic_uint
    under_way; /* calls that were begun and have not ended; who waits for its turn parks on it */

/* A lookup has no errno of its own for who gives up. */
static unsigned how_to_wait(unsigned kind)
{
    return kind == BLOCKS_LOOKUP  ? LOT_CANCEL
           : kind == BLOCKS_PLAIN ? LOT_RAISE
                                  : LOT_CANCEL | LOT_RAISE;
}

/* Returns 0, or the errno of a kill or a timeout that came first. */
static int take_turn(unsigned kind)
{
    unsigned n = atomic_load_explicit(&under_way, memory_order_relaxed);
    for (;;) {
        if (n >= config.blocking) {
            int r = lot_park(&under_way, n, DEADLINE_NEVER, how_to_wait(kind));
            if (unlikely(r == -ECANCELED))
                cancel_point();
            if (unlikely(r == -ERAISED))
                return raise_take();
            n = atomic_load_explicit(&under_way, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak(&under_way, &n, n + 1)) {
            return 0;
        }
    }
}

#define LENT_STACK ((size_t)16384)

/* Out of line: nothing that was found by way of the old thread pointer is used with the new one. */
static __attribute__((noinline)) void stand_on(struct green *g, uintptr_t tp)
{
    *(struct green **)(tp + ((uintptr_t)&self_green - tp_get())) = g;
    g->tp = tp;
    if (observes(OBSERVE_FIBERS))
        annotate_switch(&g->fiber, tp);
    tp_set(tp);
}

static __attribute__((noinline)) void set_errors(int err, int h_err)
{
    errno = err;
    h_errno = h_err;
}

/* The others of its hub use the TCB that a light one shares with them, while libc works for it on another kernel
   thread: there it stands on the TCB of a body that nobody runs in. Without memory for one the others wait. */
static EVY_COLD void lend_tcb(struct green *g)
{
    int err;
    struct green *lender = green_new(LENT_STACK, 0, NULL, &err);
    if (!lender)
        return;
    atomic_store(&lender->done, 1); /* for observers: no thread lives in it */
    int before = errno, h_before = h_errno;
    critical_enter_as(g);
    g->lender = lender;
    stand_on(g, lender->tp);
    tcb_begin();
    set_errors(before, h_before);
    critical_leave_as(g);
}

/* On its hub's carrier again, from where the section begins. */
static EVY_COLD void return_tcb(struct green *g)
{
    struct green *lender = g->lender;
    int err = errno, h_err = h_errno;
    tcb_end();
    critical_enter_as(g);
    stand_on(g, g->hub->lights.tp);
    g->lender = NULL;
    set_errors(err, h_err);
    critical_leave_as(g);
    green_free(lender);
}

void blocking_abandon(struct green *g)
{
    if (likely(atomic_load_explicit(&g->blocks, memory_order_relaxed) == BLOCKS_NOT))
        return;
    atomic_store_explicit(&g->blocks, BLOCKS_NOT, memory_order_relaxed);
    atomic_fetch_sub(&under_way, 1);
    lot_unpark_fenced(&under_way, 1);
    if (g->lender)
        return_tcb(g);
}

void blocking_limit(unsigned most)
{
    __atomic_store_n(&config.blocking, most, __ATOMIC_SEQ_CST);
    if (config.spares < most)
        __atomic_store_n(&config.spares, most, __ATOMIC_SEQ_CST);
    lot_unpark(&under_way, UINT_MAX);
}

bool blocking_has_room(void)
{
    return atomic_load_explicit(&under_way, memory_order_relaxed) < config.blocking / 2;
}

void blocking_forget(void)
{
    atomic_store(&under_way, 0);
}

/* Who cancels stores the request, then reads blocks; here it is the other way round. */
bool call_begin(struct blocking_call *c, unsigned kind)
{
    struct green *g = self();
    c->kind = kind;
    c->outer = atomic_load_explicit(&g->blocks, memory_order_relaxed);
    c->handled = g->handled;
    if (kind != BLOCKS_PLAIN)
        cancel_point();
    int err = likely(c->outer == BLOCKS_NOT) ? take_turn(kind) : 0;
    if (unlikely(err)) {
        errno = err;
        return false;
    }
    atomic_store(&g->blocks, kind);
    if (unlikely(kind == BLOCKS_POINT && cancel_due(g)))
        cancel_point();
    if (unlikely(g->flags & GREEN_LIGHT && !g->lender))
        lend_tcb(g);
    blocking_begin();
    return true;
}

/* What has succeeded is not thrown away by a cancellation that comes late. A call in which the process forked ends
   in the child too, where nobody is green. */
bool call_end(struct blocking_call *c, long r)
{
    struct green *g = self();
    if (unlikely(!g))
        return false;
    if (likely(c->outer == BLOCKS_NOT))
        blocking_abandon(g);
    else
        atomic_store(&g->blocks, c->outer);
    blocking_end();
    if (likely(r != -1) || errno != EINTR || c->kind == BLOCKS_LOOKUP)
        return false;
    if (c->kind == BLOCKS_POINT)
        cancel_point();
    return g->handled == c->handled;
}
