/* The machine part of a switch. Each CPU has its own switch.S, entry.S, call_on.S and context.c. */
#ifndef EVY_CONTEXT_H
#define EVY_CONTEXT_H

#include "base/base.h"

struct context {
    void *sp; /* where the callee-saved registers of the suspended context lie */
};

/* Suspends the caller into *from and continues *to. tp is the thread pointer to install on the way, 0 to
   leave it alone; it may be non-zero only when tp_fast (tp.h). Returns when somebody continues *from,
   possibly on another kernel thread. Callee-saved registers and the floating point control words are
   preserved. */
void context_switch(struct context *from, const struct context *to, uintptr_t tp);

/* Who is continued when a context has ended: the arguments of the switch to it. */
struct context_next {
    const struct context *to;
    uintptr_t tp;
};

/* Prepares *c so that its first continuation calls fn(arg) on the stack that ends at top. When fn returns, the context
   has ended and what it returns is continued. Unwinders find the end of the stack there. */
void context_init(struct context *c, void *top, struct context_next (*fn)(void *), void *arg);

/* Calls fn(arg) on the stack that ends at top. It may be left by longjmp, and unwinders come through to the caller. */
void call_on(void *top, void (*fn)(void *), void *arg);

#endif
