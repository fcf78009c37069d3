/* How a green thread gets its body and gives it back: from its hub's stock, the pool that all share, or new. */
#ifndef EVY_BIRTH_H
#define EVY_BIRTH_H

#include "body/green.h"

struct green_stock;

/* A green thread with its own TCB that will call body(green) on its own stack when first switched to.
   Returns NULL with -errno in *err (EAGAIN). */
struct green *green_new(size_t stack_size, size_t guard, void (*body)(struct green *), int *err);

/* The same on size bytes of the program's memory from low (body_make_at). */
struct green *green_new_at(void *low, size_t size, void (*body)(struct green *), int *err);

/* Gives a dead green thread's body to the pool. It must not be running. */
void green_free(struct green *g);

/* A hub has gone, or sleeps: its stock is anybody's. In a critical section. */
void green_give_back(struct green_stock *stock);

/* A context of the runtime's own, no thread of the program: a stack of that size beside its TCB, GREEN_LOOP set. Its
   first continuation calls entry(arg), which does not return. Returns 0 or -EAGAIN. */
int green_make_loop(struct green *g, size_t stack_size, struct context_next (*entry)(void *),
                    void *arg);
void green_free_loop(struct green *g);

#endif
