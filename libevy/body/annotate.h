/* What valgrind and the sanitizers that a program was built with are told about stacks and switches. They are looked for
   when the hubs are made, so that an ordinary library serves such programs, too (OBSERVE_TOOLS). */
#ifndef EVY_ANNOTATE_H
#define EVY_ANNOTATE_H

#include "base/base.h"
#include "body/observe.h"

#include <pthread.h>

struct green;
struct stack;

/* Before the first stack is made. */
void annotate_start(void);

/* A stack has been carved. */
EVY_COLD void annotate_stack(const struct stack *s);

/* A green thread is to begin at `top` of its stack, which may have been another's. */
EVY_COLD void annotate_begin(const struct stack *s, void *top);

/* It has ended, and is off its stack: what only that leads to is leaked. */
EVY_COLD void annotate_end(const struct stack *s);

/* What ThreadSanitizer knows the running context by; NULL without it. */
void *annotate_here(void);

/* The next context of *fiber is a new one. */
EVY_COLD void annotate_forget(void **fiber);

/* A switch to the context of *fiber, NULL when it was never told of, on the TCB at tp, is next. */
EVY_COLD void annotate_switch(void **fiber, uintptr_t tp);

/* What happened before g was asked for something, on another kernel thread, is seen by who answers. */
EVY_COLD void annotate_ask(struct green *g);
EVY_COLD void annotate_answer(struct green *g);

/* pthread_create as the program sees it: ThreadSanitizer must know of kernel threads. NULL without it. */
typedef int thread_maker(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
thread_maker *annotate_thread_maker(void);

#endif
