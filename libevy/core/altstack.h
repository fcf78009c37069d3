/* Alternate signal stacks. The kernel keeps one for each kernel thread: a carrier has that of the green thread it runs.
   A green thread without one runs on the carrier's own, where the hit of a guard page can be told, unless the program
   handles faults with SA_ONSTACK: then it has none, as natively. The kernel puts handlers of faults there, and libc's
   own of the signal that its setxid sends to all threads; the program's others are put there by proc/sigcall.c. */
#ifndef EVY_ALTSTACK_H
#define EVY_ALTSTACK_H

#include "base/base.h"
#include "body/green.h"

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>

#define ALTSTACK_OWN ((size_t)32 << 10)
#define ALTSTACK_DISARMS                                                                           \
    INT_MIN /* SS_AUTODISARM of linux/signal.h: gone while a handler is on it */

struct carrier;

extern atomic_bool altstack_differ; /* carriers must follow the green threads they run */

/* c, the calling kernel thread, gets this memory of ALTSTACK_OWN bytes as its own. */
void altstack_start(struct carrier *c, void *memory);

/* Main, a green thread from now on, has what the kernel has for it. */
void altstack_adopt(struct green *g);

/* The carrier of g, which runs and cannot leave it, gets what g has. */
void altstack_follow(struct green *g);

/* The green thread that c, the calling kernel thread, was running has gone and may free what it has. */
void altstack_left(struct carrier *c);

/* What c is to have while g runs on it. */
stack_t altstack_for(const struct carrier *c, const struct green *g);

/* The program handles a fault on alternate stacks: carriers lend none of theirs. */
void altstack_lend_none(void);

/* In a forked child, on the only kernel thread, which has been running g. NULL: not a green thread. */
void altstack_forget(const struct green *g);

static inline void altstack_arrived(struct green *g)
{
    if (unlikely(atomic_load_explicit(&altstack_differ, memory_order_relaxed)))
        altstack_follow(g);
}

static inline bool altstack_holds(const stack_t *alt, uintptr_t sp)
{
    return sp - (uintptr_t)alt->ss_sp < alt->ss_size;
}

#endif
