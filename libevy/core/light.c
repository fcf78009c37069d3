#include "core/light.h"

#include "base/config.h"
#include "base/log.h"
#include "base/sys.h"
#include "body/annotate.h"
#include "body/critical.h"
#include "body/stack.h"
#include "body/tcb.h"
#include "core/green_pool.h"
#include "core/sched.h"
#include "tp.h"

#include <errno.h>
#include <string.h>

#define STACK_DEFAULT ((size_t)64 << 10)
#define GUARD ((size_t)4096)

size_t light_stack_default(void)
{
    return config.stack ? config.stack : STACK_DEFAULT;
}

/* The shared TCB lies in memory of its own: no stack that may overflow is beside it. */
static int make_tcb(struct lights *l)
{
    size_t bytes = align_up(tcb_facts.reserve, 4096);
    long map = sys_map(bytes);
    if (map < 0)
        return -EAGAIN;
    l->tp = tcb_create((char *)(map + (long)bytes), green_invent_tid(own_stock()));
    if (!l->tp) {
        sys3(SYS_munmap, map, bytes, 0);
        return -EAGAIN;
    }
    tcb_set_stack(l->tp, light_stack_default());
    l->selves = (struct green **)(l->tp + ((uintptr_t)&self_green - tp_get()));
    l->err_no = tcb_errno(l->tp);
    return 0;
}

static struct green *make_body(struct hub *h, size_t size)
{
    struct stack s;
    size_t top = align_up(sizeof(struct green), CACHE_LINE);
    if (stack_alloc(&s, size - GUARD, GUARD)) /* the guard is part of it, as with pthreads */
        return NULL;
    struct green *g = (struct green *)(stack_top(&s) - top);
    memset(g, 0, sizeof *g);
    g->stack = s;
    g->stack_user = size;
    g->guard_user = GUARD;
    g->hub = h;
    g->tp = h->lights.tp;
    g->thread = tcb_thread_of(g->tp);
    list_append(&h->lights.bodies, &g->siblings);
    return g;
}

static EVY_UNSEEN struct context_next entry(void *arg)
{
    struct green *g = arg;
    sched_arrived();
    if (unlikely(!g->hub->lights.begun)) {
        g->hub->lights.begun = true;
        tcb_begin();
    }
    critical_leave_as(g); /* entered in light_new */
    g->body(g);
    return sched_last();
}

static EVY_COLD void take_returned(struct lights *l)
{
    struct inbox_node *node = inbox_take(&l->returned);
    while (node) {
        struct inbox_node *next = node->next;
        light_free(container_of(node, struct green, link));
        node = next;
    }
}

static struct green *body_take(struct hub *h, size_t size)
{
    if (unlikely(!h->lights.dead))
        take_returned(&h->lights);
    struct green *g = h->lights.dead;
    if (likely(g && g->stack_user == size)) {
        h->lights.dead = g->pool_next;
        return g;
    }
    return make_body(h, size);
}

struct green *light_new(size_t stack_size, void (*body)(struct green *), int *err)
{
    struct hub *h = this_hub();
    *err = unlikely(!h->lights.tp) ? make_tcb(&h->lights) : 0;
    struct green *g = *err ? NULL : body_take(h, stack_size);
    if (!g) {
        *err = -EAGAIN;
        return NULL;
    }
    green_ready(g, GREEN_LIGHT | GREEN_COOP, body);
    g->err_no = 0;
    if (observes(OBSERVE_TOOLS))
        annotate_begin(&g->stack, g);
    context_init(&g->ctx, g, entry, g);
    return g;
}

void light_free(struct green *g)
{
    struct lights *l = &g->hub->lights;
    if (unlikely(!hub_is_here(g->hub))) {
        inbox_push(&l->returned, &g->link);
        return;
    }
    if (observes(OBSERVE_TOOLS))
        annotate_end(&g->stack);
    if (likely(g->stack_user == light_stack_default())) {
        g->pool_next = l->dead;
        l->dead = g;
        return;
    }
    struct stack s = g->stack;
    list_remove(&g->siblings);
    stack_free(&s);
}
