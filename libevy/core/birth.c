#include "core/birth.h"

#include "body/annotate.h"
#include "body/critical.h"
#include "body/tcb.h"
#include "core/green_pool.h"
#include "core/hub.h"
#include "core/sched.h"

#include <errno.h>

static EVY_UNSEEN struct context_next entry(void *arg)
{
    struct green *g = arg;
    sched_arrived();
    tcb_begin();
    critical_leave_as(g); /* entered in ready */
    g->body(g);
    return sched_last();
}

static void ready(struct green *g, void (*body)(struct green *))
{
    char *top = body_stack_top(g);
    green_set_self(g->tp, g);
    green_ready(g, g->flags & GREEN_FOREIGN_STACK, body);
    if (observes(OBSERVE_TOOLS))
        annotate_begin(&g->stack, top);
    context_init(&g->ctx, top, entry, g);
}

struct green *green_new(size_t stack_size, size_t guard, void (*body)(struct green *), int *err)
{
    critical_enter();
    struct green_stock *own = own_stock();
    struct green *g = green_pool_take(own, stack_size, guard);
    if (likely(g != NULL))
        tcb_recycle(g->tp, green_invent_tid(own));
    else
        g = body_make(stack_size, guard, green_invent_tid(own));
    if (likely(g != NULL))
        ready(g, body);
    else
        *err = -EAGAIN;
    critical_leave();
    return g;
}

struct green *green_new_at(void *low, size_t size, void (*body)(struct green *), int *err)
{
    critical_enter();
    struct green *g = body_make_at(low, size, green_invent_tid(own_stock()), err);
    if (g)
        ready(g, body);
    critical_leave();
    return g;
}

void green_free(struct green *g)
{
    critical_enter();
    if (observes(OBSERVE_TOOLS))
        annotate_end(&g->stack);
    if (unlikely(g->flags & GREEN_FOREIGN_STACK) || !green_pool_put(own_stock(), g))
        body_destroy(g);
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

int green_make_loop(struct green *g, size_t stack_size, struct context_next (*begin)(void *),
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
    owned_set(&g->critical, 1);
    green_set_self(g->tp, g);
    context_init(&g->ctx, (char *)align_down(stack_top(&g->stack) - tcb_facts.reserve, 64), begin,
                 arg);
    return 0;
}

void green_free_loop(struct green *g)
{
    tcb_destroy(g->tp);
    stack_free(&g->stack);
}
