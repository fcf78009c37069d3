/* Where dead bodies wait for the next green thread, and the ids that new ones get. For green.c and light.c. */
#ifndef EVY_GREEN_POOL_H
#define EVY_GREEN_POOL_H

#include "core/green.h"

/* What each hub keeps ready for its next green thread, so that making one takes no lock; carrier of the hub. */
struct green_stock {
    struct green *dead; /* bodies of one kind, newest first, linked by pool_next */
    unsigned count;     /* how many */
    int tid;            /* next tid of a block that nobody else draws from */
    int tids;           /* how many are left of it */
};

/* A tid for a TCB, unique among living threads and never the kernel's (tcb.h). */
int green_invent_tid(void);

/* Before the process's first green thread. */
void green_start_tids(int pid);

/* A dead body with that stack and guard, NULL: none. In a critical section. */
struct green *green_pool_take(size_t size, size_t guard);

/* Keeps g for the next one: in the caller's hub's stock, or for all. False: its kind is not kept, it is the
   caller's. In a critical section. */
bool green_pool_put(struct green *g);
bool green_pool_put_shared(struct green *g);

/* Around fork: takes this file's lock, or gives it back. */
void green_pool_fork_lock(bool take);

#endif
