/* Acting on a cancellation request of the running thread. */
#ifndef EVY_CANCEL_H
#define EVY_CANCEL_H

#include "base/base.h"
#include "body/green.h"

/* For cancel_point, when something waits for g, the running one. */
EVY_COLD void cancel_if_due(const struct green *g);

/* A cancellation point: acts on a pending request unless cancellation is disabled, else returns at once. */
static inline void cancel_point(void)
{
    const struct green *g = self();
    if (likely(g != NULL) &&
        unlikely(atomic_load_explicit(&g->interrupted, memory_order_relaxed) != 0))
        cancel_if_due(g);
}

/* g, the running one, is to end at its next cancellation point. */
bool cancel_due(const struct green *g);

/* g, the running one, is to be stopped wherever its program code is. */
bool cancel_async_due(const struct green *g);

/* main's cancellation state before it became a green thread is taken over. */
void cancel_adopt_main(void);

/* Acts on the request that a wait has answered -ECANCELED for: unwinds through the caller's frames. */
__attribute__((noreturn)) void cancel_now(void);

#endif
