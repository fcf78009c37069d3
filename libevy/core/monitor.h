/* The monitor: a kernel thread that sees to it that no green thread holds up a hub. */
#ifndef EVY_MONITOR_H
#define EVY_MONITOR_H

#include "base/base.h"

#include <stdatomic.h>

/* Starts it. Returns 0 or -errno. */
int monitor_start(void);

/* In a forked child: there is none. */
void monitor_forget(void);

extern atomic_uint monitor_rests; /* futex: 1 while every hub sleeps and so does the monitor */

EVY_COLD void monitor_rouse_slow(void);

/* A hub has work again. */
static inline void monitor_rouse(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (unlikely(atomic_load_explicit(&monitor_rests, memory_order_relaxed)))
        monitor_rouse_slow();
}

/* Some hub is wanted (hub->wanted): it looks at once. */
void monitor_hurry(void);

/* Called by the monitor when nothing has run for 0.1 s, once each time; NULL: nobody wants to know. Set before it starts
   or by a hub that is awake. */
extern void (*monitor_quiet)(void);

/* A detached kernel thread that blocks every signal but faults. Returns 0 or -errno. */
int kernel_thread(void *(*body)(void *), void *arg);

#endif
