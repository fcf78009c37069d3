/* The machine part of a switch, aarch64. */
#ifndef EVY_CONTEXT_H
#define EVY_CONTEXT_H

#include "base/base.h"

struct context {
    void *sp; /* where the callee-saved registers of the suspended context lie */
};

/* What lies at sp (switch.S), for observers: {DWARF number, offset}, where it goes on last. */
#define CONTEXT_STACK_POINTER 31
#define CONTEXT_FRAME 176
#define CONTEXT_REGISTERS                                                                          \
    {19, 0}, {20, 8}, {21, 16}, {22, 24}, {23, 32}, {24, 40}, {25, 48}, {26, 56}, {27, 64},        \
        {28, 72}, {29, 80},                                                                        \
    {                                                                                              \
        30, 88                                                                                     \
    }
#define CONTEXT_REGISTER_COUNT 12

/* Suspends the caller into *from and continues *to. tp is the thread pointer to install on the way, 0 to
   leave it alone. Returns when somebody continues *from,
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
