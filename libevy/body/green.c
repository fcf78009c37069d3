#include "body/green.h"

#include "base/spin.h"
#include "body/annotate.h"
#include "body/critical.h"
#include "body/execstack.h"
#include "body/tcb.h"
#include "tp.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct list green_bodies = {&green_bodies, &green_bodies};
static struct spin bodies_lock; /* protects green_bodies; nests inside nothing */

static size_t body_overhead(void)
{
    return align_up(sizeof(struct green), CACHE_LINE) + tcb_facts.reserve;
}

/* Lays out a fresh body: descriptor at the very top, TCB below it, the stack below that. */
static struct green *body_lay_out(const struct stack *s, size_t size, size_t guard, int tid)
{
    struct green *g = (struct green *)(stack_top(s) - align_up(sizeof *g, CACHE_LINE));
    memset(g, 0, sizeof *g);
    g->stack = *s;
    g->stack_user = size;
    g->guard_user = guard;
    g->tp = tcb_create((char *)g, tid);
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
struct green *body_make(size_t size, size_t guard, int tid)
{
    struct stack s;
    size_t total = size + body_overhead();
    if (total < size || stack_alloc(&s, align_down(total, 4096), guard))
        return NULL;
    struct green *g = body_lay_out(&s, size, guard, tid);
    if (g)
        execstack_of_new(&s);
    else
        stack_free(&s);
    return g;
}

struct green *body_make_at(void *low, size_t size, int tid, int *err)
{
    char *top = (char *)align_down((char *)low + size, CACHE_LINE);
    struct stack s = {.map = low, .total = (size_t)(top - (char *)low)};
    if (size < body_overhead() + PTHREAD_STACK_MIN / 4) {
        *err = -EINVAL;
        return NULL;
    }
    struct green *g = body_lay_out(&s, size, 0, tid);
    if (g)
        g->flags = GREEN_FOREIGN_STACK;
    else
        *err = -EAGAIN;
    return g;
}

void body_destroy(struct green *g)
{
    struct stack s = g->stack;
    bool foreign = g->flags & GREEN_FOREIGN_STACK;
    spin_lock(&bodies_lock);
    list_remove(&g->siblings);
    spin_unlock(&bodies_lock);
    tcb_destroy(g->tp);
    if (!foreign)
        stack_free(&s);
}

char *body_stack_top(const struct green *g)
{
    return (char *)align_down((uintptr_t)g - tcb_facts.reserve, 64);
}

void green_set_self(uintptr_t tp, struct green *g)
{
    ptrdiff_t offset = (char *)&self_green - (char *)tp_get();
    *(struct green **)(tp + (uintptr_t)offset) = g;
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
    owned_set(&g->critical, 1);
    owned_set(&g->handlers, NULL);
    owned_set(&g->amid, NULL);
    g->alt.ss_size = 0;
    atomic_store_explicit(&g->blocks, BLOCKS_NOT, memory_order_relaxed);
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

int green_id(const struct green *g)
{
    if (g->flags & GREEN_LIGHT)
        return (int)((uintptr_t)g >> 12 & INT_MAX);
    return tcb_tid(g->thread);
}

void green_fork_locks(bool take)
{
    spin_fork(&bodies_lock, take);
}

__thread struct green *self_green __attribute__((tls_model("initial-exec")));
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
