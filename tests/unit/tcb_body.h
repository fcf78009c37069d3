/* A green body for tests: a TCB on top of a stack, run to its end or its next pause. */
#ifndef EVY_TCB_BODY_H
#define EVY_TCB_BODY_H

#include "arch/context.h"
#include "body/stack.h"
#include "body/tcb.h"
#include "tp.h"

#include <check.h>
#include <stdlib.h>

#define TID (TID_INVENTED_MIN + 7)

/* One green body: a stack with a TCB at its top. */
struct body {
    struct stack stack;
    uintptr_t tp;
    struct context context;
    void (*fn)(void);
};

static struct context main_context;
static uintptr_t main_tp;
static struct body body, second;
static struct body *running;

/* The TCB changes inside, so nothing that is known of it may be kept by the compiler. */
static EVY_NOINLINE void go(struct context *from, struct context *to, uintptr_t tp)
{
    if (!tp_fast)
        tp_set(tp);
    context_switch(from, to, tp_fast ? tp : 0);
}

static EVY_NOINLINE void pause_body(void)
{
    go(&running->context, &main_context, main_tp);
}

static struct context_next body_main(void *arg)
{
    struct body *b = arg;
    tcb_begin();
    b->fn();
    tcb_end();
    pause_body();
    abort();
}

static void resume(struct body *b)
{
    running = b;
    go(&main_context, &b->context, b->tp);
}

/* Runs fn to its end, or its first pause, on the body's TCB. */
static inline void run(struct body *b, void (*fn)(void))
{
    b->fn = fn;
    context_init(&b->context, stack_top(&b->stack) - tcb_facts.reserve, body_main, b);
    resume(b);
}

static inline void rerun(void (*fn)(void))
{
    tcb_recycle(body.tp, TID + 1);
    run(&body, fn);
}

static inline void make(struct body *b, int tid)
{
    ck_assert_int_eq(stack_alloc(&b->stack, 256 << 10, 4096), 0);
    b->tp = tcb_create(stack_top(&b->stack), tid);
    ck_assert_uint_ne(b->tp, 0);
}

static inline void set_up(void)
{
    tp_init();
    stack_init();
    ck_assert_int_eq(tcb_discover(), 0);
    main_tp = tp_get();
    make(&body, TID);
    make(&second, TID + 2);
}

#endif
