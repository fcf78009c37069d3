#include "core/hub.h"

#include "base/log.h"
#include "base/sys.h"
#include "core/evloop.h"
#include "core/sched.h"
#include "core/stack.h"
#include "core/tcb.h"
#include "real/real.h"
#include "tp.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct hub hubs[MAX_HUBS];
unsigned hub_count;
uintptr_t hub_native_tp;

static struct green main_green;
static atomic_uint next_hub; /* where the search for the emptiest hub begins */

#define LOOP_STACK ((size_t)256 << 10)

static void loop_entry(void *arg)
{
    sched_loop(arg);
}

static void set_self(struct green *g, uintptr_t tp)
{
    ptrdiff_t offset = (char *)&self_green - (char *)tp_get();
    *(struct green **)(tp + (uintptr_t)offset) = g;
}

/* The loop's context has a stack and a TCB of its own, so any carrier can drive it. */
static int make_loop(struct hub *h)
{
    struct green *g = &h->loop;
    int r = stack_alloc(&g->stack, LOOP_STACK, 4096);
    if (r)
        return r;
    g->tp = tcb_create(stack_top(&g->stack), TID_INVENTED_MAX + 1 - MAX_HUBS + (int)h->index);
    if (!g->tp) {
        stack_free(&g->stack);
        return -EAGAIN;
    }
    g->thread = tcb_thread_of(g->tp);
    g->hub = h;
    g->flags = GREEN_LOOP;
    set_self(g, g->tp);
    context_init(&g->ctx, (char *)align_down(stack_top(&g->stack) - tcb_facts.reserve, 64), loop_entry,
                 h);
    return 0;
}

static void free_loop(struct hub *h)
{
    tcb_destroy(h->loop.tp);
    stack_free(&h->loop.stack);
}

static int hub_make(struct hub *h, unsigned index)
{
    memset(h, 0, sizeof *h);
    h->index = index;
    h->runnable.last = &h->runnable.first;
    int r = make_loop(h);
    if (r)
        return r;
    r = evloop_open(h);
    if (r)
        free_loop(h);
    return r;
}

static void hub_unmake(struct hub *h)
{
    evloop_close(h);
    free_loop(h);
}

/* A carrier's own context is left for ever here: hubs do not end before the process does. */
static void *carrier_main(void *arg)
{
    struct hub *h = arg;
    struct context idle;
    h->carrier_tp = tp_get();
    h->carrier_tid = sys_gettid();
    if (!tp_fast)
        tp_set(h->loop.tp);
    context_switch(&idle, &h->loop.ctx, tp_fast ? h->loop.tp : 0);
    return NULL;
}

static void *nothing(void *arg)
{
    return arg;
}

/* glibc's first real thread makes stdio lock and shared_ptr count atomically; with one hub there would be none. */
static void leave_single_threaded(void)
{
    pthread_t thread;
    if (REAL(pthread_create)(&thread, NULL, nothing, NULL) == 0)
        REAL(pthread_join)(thread, NULL);
}

/* Signals for the process go to the main thread first, as natively: other carriers block them, but not what an
   instruction causes, nor the one that proc/signals.c sends to them. */
static void carrier_mask(sigset_t *set)
{
    static const int let_in[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGURG};
    sigfillset(set);
    for (size_t i = 0; i < array_len(let_in); i++)
        sigdelset(set, let_in[i]);
}

static int start_carrier(struct hub *h)
{
    sigset_t all, old;
    pthread_attr_t attr;
    pthread_t thread;
    carrier_mask(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, (size_t)128 << 10);
    REAL(pthread_sigmask)(SIG_SETMASK, &all, &old);
    int r = REAL(pthread_create)(&thread, &attr, carrier_main, h);
    REAL(pthread_sigmask)(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return -r;
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
    g->flags = GREEN_MAIN;
    hubs[0].carrier_tp = hub_native_tp ? hub_native_tp : g->tp;
    hubs[0].carrier_tid = sys_gettid();
    atomic_store(&hubs[0].live, 1);
    self_green = g;
}

struct green *main_thread(void)
{
    return &main_green;
}

int hubs_start(void)
{
    if (hub_count)
        return 0;
    stack_init();
    bound_arenas();
    leave_single_threaded();
    unsigned made = 0;
    int r = 0;
    while (made < config.hubs && !r)
        if (!(r = hub_make(&hubs[made], made)))
            made++;
    unsigned started = 1;
    while (!r && started < made)
        if (!(r = start_carrier(&hubs[started])))
            started++;
    if (made == 0)
        return r;
    for (; made > started; made--)
        hub_unmake(&hubs[made - 1]);
    if (r)
        log_warn("only %u of %u hubs could be started", started, config.hubs);
    hub_count = started;
    adopt_main();
    return 0;
}

void hubs_forget(void)
{
    evloop_forget_fds();
    hub_count = 0;
    self_green = NULL;
}

void hub_kick(struct hub *h)
{
    if (atomic_load_explicit(&h->asleep, memory_order_seq_cst) && atomic_exchange(&h->asleep, 0))
        evloop_kick(h);
}

void hub_post(struct hub *h, struct green *g)
{
    inbox_push(&h->inbox, &g->link);
    hub_kick(h);
}

struct hub *hub_for_new(void)
{
    unsigned start = atomic_fetch_add_explicit(&next_hub, 1, memory_order_relaxed);
    struct hub *best = &hubs[start % hub_count];
    for (unsigned i = 0; i < hub_count; i++) {
        struct hub *h = &hubs[(start + i) % hub_count];
        if (atomic_load_explicit(&h->live, memory_order_relaxed) <
            atomic_load_explicit(&best->live, memory_order_relaxed))
            best = h;
    }
    return best;
}
