#include "io/blocking.h"

#include "core/carrier.h"
#include "sync/cancel.h"

#include <errno.h>

/* Who cancels stores the request, then reads blocks; here it is the other way round. */
void call_begin(struct blocking_call *c, unsigned kind)
{
    struct green *g = self();
    c->kind = kind;
    c->handled = g->handled;
    if (kind != BLOCKS_PLAIN)
        cancel_point();
    atomic_store(&g->blocks, kind);
    if (unlikely(kind == BLOCKS_POINT && cancel_due(g))) {
        atomic_store(&g->blocks, BLOCKS_NOT);
        cancel_point();
    }
    blocking_begin();
}

/* What has succeeded is not thrown away by a cancellation that comes late. */
bool call_end(struct blocking_call *c, long r)
{
    struct green *g = self();
    atomic_store_explicit(&g->blocks, BLOCKS_NOT, memory_order_relaxed);
    blocking_end();
    if (likely(r != -1) || errno != EINTR || c->kind == BLOCKS_LOOKUP)
        return false;
    if (c->kind == BLOCKS_POINT)
        cancel_point();
    return g->handled == c->handled;
}
