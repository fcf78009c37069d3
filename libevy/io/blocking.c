#include "io/blocking.h"

#include "base/config.h"
#include "core/carrier.h"
#include "core/lot.h"
#include "sync/cancel.h"

#include <errno.h>
#include <limits.h>

static atomic_uint
    under_way; /* calls that were begun and have not ended; who waits for its turn parks on it */

static void take_turn(unsigned kind)
{
    unsigned n = atomic_load_explicit(&under_way, memory_order_relaxed);
    for (;;) {
        if (n >= config.blocking) {
            int r = lot_park(&under_way, n, DEADLINE_NEVER, kind == BLOCKS_PLAIN ? 0 : LOT_CANCEL);
            if (unlikely(r == -ECANCELED))
                cancel_point();
            n = atomic_load_explicit(&under_way, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak(&under_way, &n, n + 1)) {
            return;
        }
    }
}

void blocking_abandon(struct green *g)
{
    if (likely(atomic_load_explicit(&g->blocks, memory_order_relaxed) == BLOCKS_NOT))
        return;
    atomic_store_explicit(&g->blocks, BLOCKS_NOT, memory_order_relaxed);
    atomic_fetch_sub(&under_way, 1);
    lot_unpark_fenced(&under_way, 1);
}

void blocking_limit(unsigned most)
{
    __atomic_store_n(&config.blocking, most, __ATOMIC_SEQ_CST);
    lot_unpark(&under_way, UINT_MAX);
}

void blocking_forget(void)
{
    atomic_store(&under_way, 0);
}

/* Who cancels stores the request, then reads blocks; here it is the other way round. */
void call_begin(struct blocking_call *c, unsigned kind)
{
    struct green *g = self();
    c->kind = kind;
    c->outer = atomic_load_explicit(&g->blocks, memory_order_relaxed);
    c->handled = g->handled;
    if (kind != BLOCKS_PLAIN)
        cancel_point();
    if (likely(c->outer == BLOCKS_NOT))
        take_turn(kind);
    atomic_store(&g->blocks, kind);
    if (unlikely(kind == BLOCKS_POINT && cancel_due(g)))
        cancel_point();
    blocking_begin();
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
