#include "core/green_pool.h"

#include "base/spin.h"
#include "body/tcb.h"

/* Dead green threads wait here with stack and TCB intact, by what their creator asked for, newest first.
   A program uses one or two kinds of stacks; others are given back to the stack pool at once. */
struct pool {
    bool used;          /* size and guard are set */
    size_t size;        /* stack_user of its members */
    size_t guard;       /* guard_user of its members */
    struct green *dead; /* newest first, linked by pool_next */
};

#define TID_BLOCK 256

static struct pool pools[8];   /* pools_lock */
static struct spin pools_lock; /* protects pools; nests inside nothing */
static atomic_uint tid_blocks; /* grows with each block of tids given out */

/* Robust and error-checking locks in shared memory know their owner by tid: each process begins elsewhere. */
void green_start_tids(int pid)
{
    atomic_store(&tid_blocks, (unsigned)pid * 16);
}

static int tid_block(void)
{
    unsigned blocks = (TID_INVENTED_MAX - TID_INVENTED_MIN) / TID_BLOCK;
    unsigned block = atomic_fetch_add_explicit(&tid_blocks, 1, memory_order_relaxed) % blocks;
    return TID_INVENTED_MIN + (int)block * TID_BLOCK;
}

int green_draw_tids(struct green_stock *stock)
{
    int first = tid_block();
    if (stock) {
        stock->tid = first + 1;
        stock->tids = TID_BLOCK - 1;
    }
    return first;
}

/* pools_lock is held. */
static struct pool *pool_for(size_t size, size_t guard)
{
    for (size_t i = 0; i < array_len(pools); i++) {
        struct pool *p = &pools[i];
        if (!p->used)
            *p = (struct pool){.used = true, .size = size, .guard = guard};
        if (p->size == size && p->guard == guard)
            return p;
    }
    return NULL;
}

struct green *green_pool_take_shared(size_t size, size_t guard)
{
    struct green *g = NULL;
    spin_lock(&pools_lock);
    struct pool *p = pool_for(size, guard);
    if (p && p->dead) {
        g = p->dead;
        p->dead = g->pool_next;
    }
    spin_unlock(&pools_lock);
    return g;
}

bool green_pool_put_shared(struct green *g)
{
    spin_lock(&pools_lock);
    struct pool *p = pool_for(g->stack_user, g->guard_user);
    if (p) {
        g->pool_next = p->dead;
        p->dead = g;
    }
    spin_unlock(&pools_lock);
    return p != NULL;
}

void green_pool_fork_lock(bool take)
{
    spin_fork(&pools_lock, take);
}
