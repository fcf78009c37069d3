/* Where dead bodies wait for the next green thread, and the ids that new ones get. For birth.c and light.c. */
#ifndef EVY_GREEN_POOL_H
#define EVY_GREEN_POOL_H

#include "body/green.h"

/* What each hub keeps ready for its next green thread, so that making one takes no lock; carrier of the hub. */
struct green_stock {
    struct green *dead; /* bodies of one kind, newest first, linked by pool_next */
    unsigned count;     /* how many */
    int tid;            /* next tid of a block that nobody else draws from */
    int tids;           /* how many are left of it */
};

/* A block of tids for stock. NULL: for nobody; the first of them. */
EVY_COLD int green_draw_tids(struct green_stock *stock);

/* Before the process's first green thread. */
void green_start_tids(int pid);

/* A dead body with that stack and guard, NULL: none. In a critical section, as all that follow. */
struct green *green_pool_take_shared(size_t size, size_t guard);

/* Keeps g for the next one, wherever that may be. False: its kind is not kept, it is the caller's. */
bool green_pool_put_shared(struct green *g);

/* A tid for a TCB, unique among living threads for half a billion creations and never the kernel's (tcb.h). */
static inline int green_invent_tid(struct green_stock *stock)
{
    if (unlikely(!stock || stock->tids == 0))
        return green_draw_tids(stock);
    stock->tids--;
    return stock->tid++;
}

/* As the _shared ones, but from and to the caller's hub's stock first. NULL: it has none. */
static inline struct green *green_pool_take(struct green_stock *stock, size_t size, size_t guard)
{
    struct green *g = stock ? stock->dead : NULL;
    if (unlikely(!g || g->stack_user != size || g->guard_user != guard))
        return green_pool_take_shared(size, guard);
    stock->dead = g->pool_next;
    stock->count--;
    return g;
}

#define STOCK_MAX 64 /* bodies that a hub keeps to itself */

static inline bool green_pool_put(struct green_stock *stock, struct green *g)
{
    const struct green *like = stock ? stock->dead : NULL;
    if (unlikely(!stock || stock->count == STOCK_MAX) ||
        (like && (like->stack_user != g->stack_user || like->guard_user != g->guard_user)))
        return green_pool_put_shared(g);
    g->pool_next = stock->dead;
    stock->dead = g;
    stock->count++;
    return true;
}

/* Around fork: takes this file's lock, or gives it back. */
void green_pool_fork_lock(bool take);

#endif
