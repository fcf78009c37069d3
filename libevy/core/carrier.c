#include "core/carrier_pool.h"

#include "base/config.h"
#include "base/sys.h"
#include "body/annotate.h"
#include "body/critical.h"
#include "core/altstack.h"
#include "core/apart.h"
#include "core/birth.h"
#include "core/cputime.h"
#include "core/hub.h"
#include "core/light.h"
#include "core/monitor.h"
#include "core/own_fd.h"
#include "core/sched.h"
#include "core/trace.h"
#include "segment.h"
#include "tp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define IDLE_STACK (ALTSTACK_OWN + ((size_t)64 << 10))

static struct green main_idle; /* stands for the main thread's idle context */
static int own_pid;            /* to know a vfork child, which runs on our memory */

static void jump(struct context *from, const struct context *to, uintptr_t tp)
{
    if (!tp_fast) {
        tp_set(tp);
        tp = 0;
    }
    context_switch(from, to, tp);
}

/* The green thread that brought us here is off its stack now. */
static void send_home(struct carrier *c)
{
    struct green *g = c->arrival;
    c->arrival = NULL;
    altstack_left(c);
    atomic_store(&g->stranded, STRANDED_NOT);
    carrier_put_spare(c);
    hub_ask(g, ASK_RUN);
}

/* It is off its hub. The main kernel thread has to stay, without a use. */
static bool come_to_end(struct carrier *c)
{
    c->ends = false;
    apart_put(c->hub);
    if (carrier_is_main(c))
        return false;
    slot_put(c);
    return true;
}

/* A carrier's own context, to its end. Only raw system calls here: the main thread's TCB may be in use elsewhere. */
static void serve(struct carrier *c)
{
    for (;;) {
        if (c->arrival)
            send_home(c);
        if (unlikely(c->ends) && come_to_end(c))
            return;
        while (!atomic_exchange(&c->given, 0))
            sys_futex_wait(&c->given, 0, NULL);
        if (observes(OBSERVE_CPU))
            cputime_continue(&c->hub->loop);
        if (observes(OBSERVE_FIBERS))
            annotate_switch(&c->hub->loop.fiber, c->hub->loop.tp);
        jump(&c->idle, &c->hub->loop.ctx, c->hub->loop.tp);
    }
}

static struct context_next serve_entry(void *arg)
{
    serve(arg);
    __builtin_unreachable(); /* the main kernel thread stays */
}

static void *carrier_main(void *arg)
{
    struct carrier *c = arg;
    char alt[ALTSTACK_OWN];
    altstack_start(c, alt);
    c->idle_tp = c->native_tp = tp_get();
    c->fiber = annotate_here();
    c->tid = sys_gettid();
    sys_futex_wake(&c->tid, 1);
    serve(c);
    return NULL;
}

static void attach(struct hub *h, struct carrier *c)
{
    __atomic_store_n(&h->carrier, c, __ATOMIC_RELEASE);
    c->hub = h;
}

void carrier_give(struct carrier *c, struct hub *h)
{
    attach(h, c);
    atomic_store(&c->given, 1);
    sys_futex_wake(&c->given, 1);
}

static long stat_open(const struct carrier *c)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", c->tid);
    return sys_call4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
}

/* Before the program has a second thread, that might just be opening a descriptor and count on its number. */
static void open_stat(struct carrier *c)
{
    c->stat = 0;
    OWN_FDS_PASSING(own_fd((int)stat_open(c), &c->stat));
}

static long stat_read(const struct carrier *c, char *text, size_t size)
{
    if (c->stat)
        return sys_call4(SYS_pread64, c->stat, (long)text, (long)size, 0);
    if (!own_fds_try_pass())
        return -EAGAIN;
    long fd = stat_open(c);
    long n = fd < 0 ? fd : sys_read((int)fd, text, size);
    if (fd >= 0)
        sys_close((int)fd);
    own_fds_passed();
    return n;
}

/* The letter behind the name is the state. */
bool carrier_wants_processor(struct carrier *c)
{
    char text[128];
    long n = stat_read(c, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    const char *end = strrchr(text, ')');
    return end && end[1] && end[2] == 'R';
}

int carrier_adopt_main(struct hub *h)
{
    struct carrier *c = slot_main();
    sys3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    int r = green_make_loop(&main_idle, IDLE_STACK, serve_entry, c);
    if (r)
        return r;
    main_idle.hub = h;
    c->own_alt = stack_low(&main_idle.stack);
    c->idle = main_idle.ctx;
    c->idle_tp = main_idle.tp;
    c->native_tp = hub_native_tp ? hub_native_tp : tp_get();
    c->tid = sys_gettid();
    open_stat(c);
    own_pid = (int)sys3(SYS_getpid, 0, 0, 0);
    slot_take_main();
    attach(h, c);
    return 0;
}

/* A kernel thread that takes no signals but those its own code causes: the main thread takes the others, as
   natively. */
static struct carrier *carrier_new(void)
{
    struct carrier *c = slot_take();
    if (c && kernel_thread(carrier_main, c)) {
        slot_put(c);
        c = NULL;
    }
    return c;
}

struct carrier *carrier_make_spare(void)
{
    return slots_used() < hub_count + config.spares ? carrier_new() : NULL;
}

static void await(struct carrier *c)
{
    while (!c->tid)
        sys_futex_wait(&c->tid, 0, NULL);
}

/* Between the two tp_set nothing may run that keeps a thread-local address in a register. */
static EVY_NOINLINE struct carrier *carrier_new_on(uintptr_t native)
{
    uintptr_t own = tp_get();
    if (native == own)
        return carrier_new();
    tp_set(native);
    struct carrier *c = carrier_new();
    tp_set(own);
    return c;
}

struct carrier *carrier_clone(void)
{
    struct carrier *c = carrier_new_on(self()->hub->carrier->native_tp);
    if (c)
        await(c);
    return c;
}

int carrier_start(struct hub *h)
{
    struct carrier *c = carrier_new();
    if (!c)
        return -EAGAIN;
    await(c);
    open_stat(c);
    carrier_give(c, h);
    return 0;
}

/* The monitor sees the section that g is in, and keeps away. */
void carrier_keep(struct green *g, struct hub *own, struct carrier *fresh)
{
    struct hub *h = g->hub;
    trace(h, TRACE_HANDOFF, g);
    attach(own, h->carrier);
    __atomic_store_n(&g->hub, own, __ATOMIC_RELEASE);
    atomic_store(&own->current, g);
    atomic_store(&h->current, &h->loop);
    carrier_give(fresh, h);
}

void carrier_end(struct hub *h)
{
    struct carrier *c = h->carrier;
    c->ends = true;
    jump(&h->loop.ctx, &c->idle, c->idle_tp);
    sched_arrived(); /* perhaps from one that came to h with its carrier, and has ended there */
}

void carrier_rejoin(struct green *g)
{
    while (atomic_load(&g->stranded) == STRANDED_CLAIMED)
        sys_yield();
    if (atomic_load(&g->stranded) != STRANDED || sys3(SYS_getpid, 0, 0, 0) != own_pid)
        return;
    struct carrier *c = g->stranded_on;
    c->arrival = g;
    if (unlikely(g->cpu_from))
        cputime_leave(g);
    if (!g->lender)
        light_switch(g, g);
    if (observes(OBSERVE_FIBERS))
        annotate_switch(&c->fiber, c->idle_tp);
    if (observes(OBSERVE_SEGMENT))
        g->segment = segment_get();
    jump(&g->ctx, &c->idle, c->idle_tp);
    sched_arrived();
}

/* A switch stores current and then looks at what the caller has written, without a fence between them. */
int carrier_running(const struct green *g)
{
    sys_membarrier();
    if (atomic_load(&g->stranded) == STRANDED)
        return g->stranded_on->tid;
    return atomic_load(&g->hub->current) == g ? g->hub->carrier->tid : 0;
}
