#include "core/green.h"

#include "base/log.h"
#include "base/spin.h"
#include "core/critical.h"
#include "core/hub.h"
#include "core/sched.h"
#include "core/tcb.h"
#include "tp.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

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

struct signal_hooks signal_hooks;

static struct pool pools[8];   /* pools_lock */
static struct spin pools_lock; /* protects pools; nests inside nothing */
struct list green_bodies = {&green_bodies, &green_bodies};
static struct spin bodies_lock; /* protects green_bodies; nests inside nothing */
static atomic_uint tid_blocks;  /* grows with each block of tids given out */

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

static struct green *pool_take(size_t size, size_t guard)
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

static size_t body_overhead(void)
{
    return align_up(sizeof(struct green), CACHE_LINE) + tcb_facts.reserve;
}

/* Lays out a fresh body: descriptor at the very top, TCB below it, the stack below that. */
static struct green *body_lay_out(const struct stack *s, size_t size, size_t guard)
{
    struct green *g = (struct green *)(stack_top(s) - align_up(sizeof *g, CACHE_LINE));
    memset(g, 0, sizeof *g);
    g->stack = *s;
    g->stack_user = size;
    g->guard_user = guard;
    g->tp = tcb_create((char *)g, green_invent_tid());
    if (!g->tp)
        return NULL;
    g->thread = tcb_thread_of(g->tp);
    tcb_set_stack(g->tp, size);
    spin_lock(&bodies_lock);
    list_append(&green_bodies, &g->siblings);
    spin_unlock(&bodies_lock);
    return g;
}

/* glibc takes TCB and static TLS out of what was asked for; here that pays for no more than what is missing to
   whole pages, so that an overflow shows where it does natively. */
static struct green *body_make(size_t size, size_t guard)
{
    struct stack s;
    size_t total = size + body_overhead();
    if (total < size || stack_alloc(&s, align_down(total, 4096), guard))
        return NULL;
    struct green *g = body_lay_out(&s, size, guard);
    if (!g)
        stack_free(&s);
    return g;
}

static void body_unlink(struct green *g)
{
    spin_lock(&bodies_lock);
    list_remove(&g->siblings);
    spin_unlock(&bodies_lock);
}

static void body_destroy(struct green *g)
{
    struct stack s = g->stack;
    body_unlink(g);
    tcb_destroy(g->tp);
    stack_free(&s);
}

static struct green *body_reuse(struct green *g)
{
    if (tcb_recycle(g->tp, green_invent_tid())) {
        body_destroy(g);
        return NULL;
    }
    return g;
}

/* self_green of another TCB: same offset from the thread pointer in each (initial-exec TLS). */
static void set_self_of(struct green *g)
{
    ptrdiff_t offset = (char *)&self_green - (char *)tp_get();
    *(struct green **)(g->tp + (uintptr_t)offset) = g;
}

static void body_entry(void *arg)
{
    struct green *g = arg;
    sched_arrived();
    tcb_begin();
    critical_leave_as(g); /* entered in body_ready */
    g->body(g);
    check(!"a green thread's body returned");
}

void green_ready(struct green *g, unsigned flags, void (*body)(struct green *))
{
    g->body = body;
    g->flags = flags;
    g->result = NULL;
    g->name[0] = 0;
    g->timer = (struct timer){0};
    atomic_store_explicit(&g->gt.refs, 0, memory_order_relaxed);
    g->gt.locals = NULL;
    g->leaving = NULL;
    raises_init(&g->raises);
    atomic_store_explicit(&g->joiner, NULL, memory_order_relaxed);
    g->wake = WAKE_RUNNING;
    atomic_store_explicit(&g->interrupted, 0, memory_order_relaxed);
    atomic_store_explicit(&g->done, 0, memory_order_relaxed);
    atomic_store_explicit(&g->gone, false, memory_order_relaxed);
    g->critical = 1;
    g->handlers = NULL;
    g->alt.ss_size = 0;
    atomic_store_explicit(&g->blocks, BLOCKS_NOT, memory_order_relaxed);
}

static void body_ready(struct green *g, void (*body)(struct green *))
{
    set_self_of(g);
    green_ready(g, g->flags & GREEN_FOREIGN_STACK, body);
    context_init(&g->ctx, (char *)align_down((uintptr_t)g - tcb_facts.reserve, 64), body_entry, g);
}

static struct green *body_get(size_t stack_size, size_t guard, void (*body)(struct green *),
                              int *err)
{
    struct green *g = pool_take(stack_size, guard);
    if (g)
        g = body_reuse(g);
    else
        g = body_make(stack_size, guard);
    if (!g) {
        *err = -EAGAIN;
        return NULL;
    }
    body_ready(g, body);
    return g;
}

static struct green *body_get_at(void *low, size_t size, void (*body)(struct green *), int *err)
{
    char *top = (char *)align_down((char *)low + size, CACHE_LINE);
    if (size < body_overhead() + PTHREAD_STACK_MIN / 4) {
        *err = -EINVAL;
        return NULL;
    }
    struct stack s = {.map = low, .total = (size_t)(top - (char *)low)};
    struct green *g = body_lay_out(&s, size, 0);
    if (!g) {
        *err = -EAGAIN;
        return NULL;
    }
    g->flags = GREEN_FOREIGN_STACK;
    body_ready(g, body);
    return g;
}

struct green *green_new(size_t stack_size, size_t guard, void (*body)(struct green *), int *err)
{
    critical_enter();
    struct green *g = body_get(stack_size, guard, body, err);
    critical_leave();
    return g;
}

struct green *green_new_at(void *low, size_t size, void (*body)(struct green *), int *err)
{
    critical_enter();
    struct green *g = body_get_at(low, size, body, err);
    critical_leave();
    return g;
}

static void pool_put(struct green *g)
{
    spin_lock(&pools_lock);
    struct pool *p = pool_for(g->stack_user, g->guard_user);
    if (p) {
        g->pool_next = p->dead;
        p->dead = g;
    }
    spin_unlock(&pools_lock);
    if (!p)
        body_destroy(g);
}

static void body_put(struct green *g)
{
    if (unlikely(g->flags & GREEN_FOREIGN_STACK)) {
        body_unlink(g);
        tcb_destroy(g->tp);
    } else if (!stock_put(own_stock(), g)) {
        pool_put(g);
    }
}

void green_free(struct green *g)
{
    critical_enter();
    body_put(g);
    critical_leave();
}

void green_give_back(struct green_stock *stock)
{
    struct green *next;
    for (struct green *g = stock->dead; g; g = next) {
        next = g->pool_next;
        pool_put(g);
    }
    stock->dead = NULL;
}

void green_each(bool (*fn)(struct green *, void *), void *arg)
{
    critical_enter();
    spin_lock(&bodies_lock);
    list_for_each (node, &green_bodies) {
        if (!fn(list_entry(node, struct green, siblings), arg))
            break;
    }
    spin_unlock(&bodies_lock);
    critical_leave();
}

void critical_deliver(struct green *g)
{
    if (!(g->flags & GREEN_LOOP))
        signal_hooks.deliver();
}

int green_id(const struct green *g)
{
    if (g->flags & GREEN_LIGHT)
        return (int)((uintptr_t)g >> 12 & INT_MAX);
    return tcb_tid(g->thread);
}

void green_fork_locks(bool take)
{
    spin_fork(&pools_lock, take);
    spin_fork(&bodies_lock, take);
}

int green_make_loop(struct green *g, size_t stack_size, void (*entry)(void *), void *arg)
{
    int r = stack_alloc(&g->stack, stack_size, 4096);
    if (r)
        return r;
    g->tp = tcb_create(stack_top(&g->stack), green_invent_tid());
    if (!g->tp) {
        stack_free(&g->stack);
        return -EAGAIN;
    }
    g->thread = tcb_thread_of(g->tp);
    g->flags = GREEN_LOOP;
    g->critical = 1;
    set_self_of(g);
    context_init(&g->ctx, (char *)align_down(stack_top(&g->stack) - tcb_facts.reserve, 64), entry,
                 arg);
    return 0;
}

void green_free_loop(struct green *g)
{
    tcb_destroy(g->tp);
    stack_free(&g->stack);
}

__thread struct green *vforked_green __attribute__((tls_model("initial-exec")));

static struct green *word_of(uintptr_t tp, struct green *const *mine)
{
    uintptr_t at = tp + ((uintptr_t)mine - tp_get());
    return __atomic_load_n((struct green **)at, __ATOMIC_ACQUIRE);
}

struct green *green_of_thread(uintptr_t thread)
{
    uintptr_t tp = tcb_tp_of(thread);
    struct green *g;
    while (!(g = word_of(tp, &self_green)) && !(g = word_of(tp, &vforked_green)))
        ; /* its vfork has just ended */
    return g;
}
