#include "core/green_pool.h"

#include "base/spin.h"
#include "core/hub.h"
#include "core/tcb.h"

/* Dead green threads wait here with stack and TCB intact, by what their creator asked for, newest first.
   A program uses one or two kinds of stacks; others are given back to the stack pool at once. */
struct pool {
    bool used;          /* size and guard are set */
    size_t size;        /* stack_user of its members */
    size_t guard;       /* guard_user of its members */
    struct green *dead; /* newest first, linked by pool_next */
};

#define STOCK_MAX 64 /* bodies that a hub keeps to itself */
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

/* The caller's hub's; NULL before there are hubs and on foreign threads. In a critical section. */
static struct green_stock *own_stock(void)
{
    struct green *me = self();
    return likely(me != NULL) ? &me->hub->stock : NULL;
}

/* Unique among living threads for half a billion creations, and never the kernel's (tcb.h). */
int green_invent_tid(void)
{
    struct green_stock *stock = own_stock();
    if (unlikely(!stock))
        return tid_block();
    if (unlikely(stock->tids == 0)) {
        stock->tid = tid_block();
        stock->tids = TID_BLOCK;
    }
    stock->tids--;
    return stock->tid++;
}

static struct green *stock_take(struct green_stock *stock, size_t size, size_t guard)
{
    struct green *g = stock ? stock->dead : NULL;
    if (unlikely(!g || g->stack_user != size || g->guard_user != guard))
        return NULL;
    stock->dead = g->pool_next;
    stock->count--;
    return g;
}

static bool stock_put(struct green_stock *stock, struct green *g)
{
    const struct green *like = stock ? stock->dead : NULL;
    if (!stock || stock->count == STOCK_MAX ||
        (like && (like->stack_user != g->stack_user || like->guard_user != g->guard_user)))
        return false;
    g->pool_next = stock->dead;
    stock->dead = g;
    stock->count++;
    return true;
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

struct green *green_pool_take(size_t size, size_t guard)
{
    struct green *g = stock_take(own_stock(), size, guard);
    if (likely(g != NULL))
        return g;
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

bool green_pool_put(struct green *g)
{
    return stock_put(own_stock(), g) || green_pool_put_shared(g);
}

void green_pool_fork_lock(bool take)
{
    spin_fork(&pools_lock, take);
}
