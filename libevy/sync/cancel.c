#include "sync/cancel.h"

#include "base/config.h"
#include "body/tcb.h"
#include "core/hub.h"
#include "core/sched.h"
#include "proc/sigstate.h"
#include "real/real.h"
#include "sync/thread.h"

#include <errno.h>

bool cancel_due(const struct green *g)
{
    return atomic_load_explicit(&g->interrupted, memory_order_relaxed) & INTERRUPT_CANCEL &&
           !(g->flags & (GREEN_CANCEL_OFF | GREEN_EXITING));
}

bool cancel_async_due(const struct green *g)
{
    return g->flags & GREEN_CANCEL_ASYNC && cancel_due(g);
}

/* The wait that it ends may stand in sections that nobody will leave now. */
void cancel_now(void)
{
    struct green *g = self();
    if (g)
        owned_set(&g->critical, 0);
    evy_pthread_exit(PTHREAD_CANCELED);
}

void cancel_if_due(const struct green *g)
{
    if (cancel_due(g))
        cancel_now();
}

void cancel_adopt_main(void)
{
    struct green *g = self();
    int state, type;
    REAL(pthread_setcancelstate)(PTHREAD_CANCEL_DISABLE, &state);
    REAL(pthread_setcanceltype)(PTHREAD_CANCEL_DEFERRED, &type);
    REAL(pthread_setcancelstate)(PTHREAD_CANCEL_ENABLE, NULL);
    if (state == PTHREAD_CANCEL_DISABLE)
        g->flags |= GREEN_CANCEL_OFF;
    if (type == PTHREAD_CANCEL_ASYNCHRONOUS)
        g->flags |= GREEN_CANCEL_ASYNC;
}

int evy_pthread_cancel(pthread_t thread)
{
    struct green *g = thread_green(thread);
    if (hub_count && tcb_is_gone(thread))
        return 0;
    if (!g)
        return REAL(pthread_cancel)(thread);
    if (atomic_load(&g->done) & THREAD_DONE)
        return 0;
    atomic_fetch_or(&g->interrupted, INTERRUPT_CANCEL);
    bool async = __atomic_load_n(&g->flags, __ATOMIC_SEQ_CST) & GREEN_CANCEL_ASYNC;
    if (g == self() && async)
        cancel_point();
    else if ((async || atomic_load(&g->blocks) == BLOCKS_POINT) && config.patch & SUBSET_SIGNAL)
        signal_nudge(g);
    else if (g != self())
        sched_unpark(g);
    return 0;
}

void evy_pthread_testcancel(void)
{
    if (self())
        cancel_point();
    else
        REAL(pthread_testcancel)();
}

static int set_flag(unsigned flag, bool on, int *old, int was_on, int was_off)
{
    struct green *g = self();
    if (old)
        *old = g->flags & flag ? was_on : was_off;
    g->flags = on ? g->flags | flag : g->flags & ~flag;
    if (unlikely(g->flags & GREEN_CANCEL_ASYNC)) {
        atomic_thread_fence(memory_order_seq_cst); /* against evy_pthread_cancel */
        cancel_point();
    }
    return 0;
}

int evy_pthread_setcancelstate(int state, int *old)
{
    if (!self() || (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE))
        return REAL(pthread_setcancelstate)(state, old);
    return set_flag(GREEN_CANCEL_OFF, state == PTHREAD_CANCEL_DISABLE, old, PTHREAD_CANCEL_DISABLE,
                    PTHREAD_CANCEL_ENABLE);
}

int evy_pthread_setcanceltype(int type, int *old)
{
    if (!self() || (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS))
        return REAL(pthread_setcanceltype)(type, old);
    return set_flag(GREEN_CANCEL_ASYNC, type == PTHREAD_CANCEL_ASYNCHRONOUS, old,
                    PTHREAD_CANCEL_ASYNCHRONOUS, PTHREAD_CANCEL_DEFERRED);
}
