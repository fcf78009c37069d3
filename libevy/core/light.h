/* Light green threads: those of a hub share one TCB, made for them, so that a switch between two of them writes no
   thread pointer. What a TCB is to hold for each of them - self_green and errno - changes hands at the switch. */
#ifndef EVY_LIGHT_H
#define EVY_LIGHT_H

#include "core/hub.h"

/* A light green thread of the caller's hub, not started, that will call body(green) on a stack of at least that size.
   Returns NULL with -errno in *err: EAGAIN. Only for green threads, in a critical section. */
struct green *light_new(size_t stack_size, void (*body)(struct green *), int *err);

/* Gives a dead one's memory back. In a critical section, not on its own stack. */
void light_free(struct green *g);

/* The stack of those that ask for none. */
size_t light_stack_default(void);

static inline void light_switch(struct green *from, struct green *to)
{
    if (from->flags & GREEN_LIGHT)
        from->err_no = *from->hub->lights.err_no;
    if (to->flags & GREEN_LIGHT) {
        *to->hub->lights.selves = to;
        *to->hub->lights.err_no = to->err_no;
    }
}

#endif
