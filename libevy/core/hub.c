#include "core/hub.h"

#include "base/log.h"
#include "base/sys.h"
#include "body/annotate.h"
#include "body/critical.h"
#include "body/execstack.h"
#include "body/stack.h"
#include "body/tcb.h"
#include "core/altstack.h"
#include "core/apart.h"
#include "core/birth.h"
#include "core/carrier.h"
#include "core/cputime.h"
#include "core/evloop.h"
#include "core/lot.h"
#include "core/monitor.h"
#include "core/own_fd.h"
#include "core/sched.h"
#include "core/stats.h"
#include "core/trace.h"
#include "real/real.h"
#include "tp.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct hub hubs[HUB_SLOTS];
atomic_uint hub_count;
uintptr_t hub_native_tp;

struct green main_green;

#define LOOP_STACK ((size_t)256 << 10)

static struct context_next loop_entry(void *arg)
{
    tcb_begin(); /* callbacks of the program run here */
    sched_loop(arg);
}

/* The loop's context has a stack and a TCB of its own, so any carrier can drive it. */
static int make_loop(struct hub *h)
{
    int r = green_make_loop(&h->loop, LOOP_STACK, loop_entry, h);
    h->loop.hub = h;
    atomic_store(&h->current, &h->loop);
    return r;
}

static int hub_make(struct hub *h, unsigned index)
{
    memset(h, 0, sizeof *h);
    h->index = index;
    h->tick = clock_coarse();
    run_queue_init(&h->runnable);
    run_queue_init(&h->after_poll);
    run_queue_init(&h->held);
    list_init(&h->lights.bodies);
    int r = make_loop(h);
    if (r)
        return r;
    r = evloop_open(h);
    if (r)
        green_free_loop(&h->loop);
    return r;
}

static void hub_unmake(struct hub *h)
{
    evloop_close(h);
    green_free_loop(&h->loop);
}

static int hub_add(struct hub *h, unsigned index)
{
    int r = hub_make(h, index);
    if (r)
        return r;
    r = carrier_start(h);
    if (r)
        hub_unmake(h);
    return r;
}

struct hub *hub_make_apart(void)
{
    struct hub *h = &hubs[hub_count];
    if (hub_count == HUB_SLOTS || hub_make(h, hub_count))
        return NULL;
    lot_share();
    h->apart = true;
    atomic_store(&h->asleep, 1);
    atomic_fetch_add(&hub_count, 1);
    return h;
}

/* Each TCB looks to malloc like a thread that deserves an arena; what runs in parallel is hubs. */
static void bound_arenas(void)
{
    if (!getenv("MALLOC_ARENA_MAX") && !getenv("GLIBC_TUNABLES"))
        mallopt(M_ARENA_MAX, (int)config.hubs * 2);
}

/* The running main thread becomes a green thread of hub 0, on the stack and TCB it has. */
static void adopt_main(void)
{
    struct green *g = &main_green;
    memset(g, 0, sizeof *g);
    g->tp = tp_get();
    g->thread = tcb_thread_of(g->tp);
    g->hub = &hubs[0];
    raises_init(&g->raises);
    g->flags = GREEN_MAIN;
    g->fiber = annotate_here();
    g->cpu = kernel_thread_cpu(0);
    g->cpu_from = observes(OBSERVE_CPU) ? g->cpu : 0;
    atomic_store(&hubs[0].current, g);
    atomic_store(&hubs[0].born, 1);
    self_green = g;
    critical_rejoin_hook = carrier_rejoin;
    altstack_adopt(g);
}

struct green *main_thread(void)
{
    return &main_green;
}

int hubs_start(void)
{
    if (hub_count)
        return 0;
    annotate_start();
    stack_init();
    execstack_look();
    green_start_tids((int)sys3(SYS_getpid, 0, 0, 0));
    bound_arenas();
    unsigned made = 0;
    int r = hub_make(&hubs[0], 0);
    if (!r && (r = carrier_adopt_main(&hubs[0])))
        hub_unmake(&hubs[0]);
    if (r)
        return r;
    if (config.hubs > 1 || !sys_membarrier())
        lot_share();
    for (made = 1; made < config.hubs && !r; made++)
        r = hub_add(&hubs[made], made);
    hub_count = made - (r != 0);
    if (r)
        log_warn("only %u of %u hubs could be started", hub_count, config.hubs);
    trace_start(hub_count);
    stats_start();
    adopt_main();
    if (monitor_start())
        log_warn("no monitor: a thread that does not wait holds up its hub");
    return 0;
}

void hubs_forget(void)
{
    for (unsigned i = 0; i < hub_count; i++)
        green_give_back(&hubs[i].stock);
    own_fds_forget();
    apart_forget();
    carriers_forget();
    monitor_forget();
    trace_forget();
    stats_forget();
    cputime_forget();
    hub_count = 0;
    self_green = NULL;
}

void hub_kick(struct hub *h)
{
    if (atomic_load_explicit(&h->asleep, memory_order_seq_cst) && atomic_exchange(&h->asleep, 0))
        evloop_kick(h);
}

void hub_send(struct green *g)
{
    struct hub *h = green_hub(g);
    if (observes(OBSERVE_FIBERS))
        annotate_ask(g);
    inbox_push(&h->inbox, &g->note);
    hub_kick(h);
}

void hub_ask(struct green *g, unsigned what)
{
    if (atomic_fetch_or(&g->asked, what) == 0) /* else its note is on its way already */
        hub_send(g);
}

void run_queue_insert(struct run_queue *q, struct green *g)
{
    struct inbox_node **at = &q->first;
    while (*at && container_of(*at, struct green, link)->priority >= g->priority)
        at = &(*at)->next;
    g->link.next = *at;
    *at = &g->link;
    if (!g->link.next)
        q->last = &g->link.next;
}

void hub_post_call(struct hub *h, struct hub_call *c)
{
    inbox_push(&h->calls, &c->link);
    hub_kick(h);
}
