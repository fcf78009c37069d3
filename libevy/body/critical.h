/* Sections of the runtime, on the carrier of the caller's hub: entering one rejoins the hub when it has gone to
   another carrier, and it cannot go while one is open. No signal handler of the program may run on this green
   thread, because the handler may come back into the runtime: it runs when the outermost section is left.
   They nest, cost two plain additions and may park (each green thread has its own count). */
#ifndef EVY_CRITICAL_H
#define EVY_CRITICAL_H

#include "base/base.h"
#include "body/green.h"

#include <errno.h>
#include <stdatomic.h>

/* What the floor above does for signals; all NULL until it starts (proc/signals.c). */
struct signal_hooks {
    bool (*due)(
        struct green *g);  /* does g, the running one, really have something to do? If not it is
                                      no longer marked INTERRUPT_SIGNAL */
    void (*deliver)(void); /* runs the handlers due for the running green thread */
    void (*parking)(struct green *g); /* g, which has handler frames, is about to park */
    void (*chore)(void);              /* hub 0's loop was asked to look after signals */
};

extern struct signal_hooks signal_hooks;

/* What it takes to come back to one's hub (carrier_rejoin); set as the hubs start. */
extern void (*critical_rejoin_hook)(struct green *g);

EVY_COLD void critical_rejoin(struct green *g);
EVY_COLD void critical_deliver(struct green *g);

static inline void critical_enter_as(struct green *g)
{
    owned_add(&g->critical, 1);
    atomic_signal_fence(
        memory_order_seq_cst); /* the processor's order is the other side's care: handoff.c */
    if (unlikely(atomic_load_explicit(&g->stranded, memory_order_relaxed)))
        critical_rejoin(g);
}

/* Leaves without running what is due: the caller sees to it. */
static inline void critical_leave_quietly(struct green *g)
{
    atomic_signal_fence(memory_order_seq_cst);
    owned_add(&g->critical, -1);
}

static inline void critical_leave_as(struct green *g)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (owned_add(&g->critical, -1) == 0 &&
        unlikely(atomic_load_explicit(&g->interrupted, memory_order_relaxed) & INTERRUPT_SIGNAL))
        critical_deliver(g);
}

/* Leaves after a wait that answered r. A signal that ended it is still to be delivered, by the caller's caller,
   once nothing is held that a siglongjmp out of the handler would leave behind. */
static inline long critical_leave_wait(struct green *g, long r)
{
    if (unlikely(r == -EINTR))
        critical_leave_quietly(g);
    else
        critical_leave_as(g);
    return r;
}

/* The same for whoever runs, also a thread that is none of ours. */
static inline void critical_enter(void)
{
    struct green *g = self();
    if (likely(g != NULL))
        critical_enter_as(g);
}

static inline void critical_leave(void)
{
    struct green *g = self();
    if (likely(g != NULL))
        critical_leave_as(g);
}

#endif
