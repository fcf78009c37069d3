/* Code on stacks (trampolines of nested functions): natively every thread's stack is executable once something is
 * loaded whose PT_GNU_STACK asks for it (elf/dl-execstack.c, nptl/nptl-stack.c). */
#ifndef EVY_EXECSTACK_H
#define EVY_EXECSTACK_H

#include "base/base.h"

struct stack;

/* Looks at what is loaded now, and if it asks makes all stacks executable. Any thread, outside critical sections. */
void execstack_look(void);

/* A body has been made and entered into the list of all: its stack is as the others. */
void execstack_of_new(const struct stack *s);

#endif
