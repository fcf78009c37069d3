#include "core/green.h"

#include "base/log.h"
#include "base/spin.h"
#include "core/annotate.h"
#include "core/critical.h"
#include "core/execstack.h"
#include "core/green_pool.h"
#include "core/hub.h"
#include "core/sched.h"
#include "core/tcb.h"
#include "tp.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct signal_hooks signal_hooks;

struct list green_bodies = {&green_bodies, &green_bodies};
static struct spin bodies_lock; /* protects green_bodies; nests inside nothing */

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
    g->tp = tcb_create((char *)g, green_invent_tid(own_stock()));
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
    if (g)
        execstack_of_new(&s);
    else
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

void green_set_self(uintptr_t tp, struct green *g)
{
    ptrdiff_t offset = (char *)&self_green - (char *)tp_get();
    *(struct green **)(tp + (uintptr_t)offset) = g;
}

static struct context_next body_entry(void *arg)
{
    struct green *g = arg;
    sched_arrived();
    tcb_begin();
    critical_leave_as(g); /* entered in body_ready */
    g->body(g);
    return sched_last();
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
    g->cpu = 0;
    g->cpu_from = 0;
    if (observes(OBSERVE_FIBERS))
        annotate_forget(&g->fiber);
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
    green_set_self(g->tp, g);
    green_ready(g, g->flags & GREEN_FOREIGN_STACK, body);
    char *top = (char *)align_down((uintptr_t)g - tcb_facts.reserve, 64);
    if (observes(OBSERVE_TOOLS))
        annotate_begin(&g->stack, top);
    context_init(&g->ctx, top, body_entry, g);
}

static struct green *body_get(size_t stack_size, size_t guard, void (*body)(struct green *),
                              int *err)
{
    struct green_stock *own = own_stock();
    struct green *g = green_pool_take(own, stack_size, guard);
    if (likely(g != NULL))
        tcb_recycle(g->tp, green_invent_tid(own));
    else
        g = body_make(stack_size, guard);
    if (unlikely(!g)) {
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

static void body_put(struct green *g)
{
    if (observes(OBSERVE_TOOLS))
        annotate_end(&g->stack);
    if (unlikely(g->flags & GREEN_FOREIGN_STACK)) {
        body_unlink(g);
        tcb_destroy(g->tp);
    } else if (!green_pool_put(own_stock(), g)) {
        body_destroy(g);
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
        if (!green_pool_put_shared(g))
            body_destroy(g);
    }
    stock->dead = NULL;
    stock->count = 0;
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
    green_pool_fork_lock(take);
    spin_fork(&bodies_lock, take);
}

int green_make_loop(struct green *g, size_t stack_size, struct context_next (*entry)(void *),
                    void *arg)
{
    int r = stack_alloc(&g->stack, align_up(stack_size + tcb_facts.reserve, 4096), 4096);
    if (r)
        return r;
    g->tp = tcb_create(stack_top(&g->stack), green_invent_tid(own_stock()));
    if (!g->tp) {
        stack_free(&g->stack);
        return -EAGAIN;
    }
    g->thread = tcb_thread_of(g->tp);
    g->flags = GREEN_LOOP;
    atomic_store(&g->interrupted, INTERRUPT_LOOP);
    g->critical = 1;
    green_set_self(g->tp, g);
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
    while (unlikely(!(g = word_of(tp, &self_green))) && !(g = word_of(tp, &vforked_green)))
        ; /* its vfork has just ended */
    return g;
}
