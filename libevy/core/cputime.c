#include "core/cputime.h"

#include "base/clock.h"
#include "base/sys.h"
#include "body/green.h"
#include "body/observe.h"
#include "core/carrier.h"

#define CHANGES (-1) /* in cpu_from: cpu is being written */

int64_t kernel_thread_cpu(int tid)
{
    struct timespec ts;
    return sys3(SYS_clock_gettime, cpuclock_id(tid), &ts, 0) < 0 ? 0 : timespec_to_ns(&ts);
}

static void set_from(struct green *g, int64_t at)
{
    __atomic_store_n(&g->cpu_from, at, __ATOMIC_RELEASE);
}

static int64_t get_from(const struct green *g)
{
    return __atomic_load_n(&g->cpu_from, __ATOMIC_ACQUIRE);
}

/* Nothing is added for a turn whose beginning was not noted. */
static void add_until(struct green *g, int64_t now)
{
    int64_t from = get_from(g);
    if (!from)
        return;
    set_from(g, CHANGES);
    __atomic_store_n(&g->cpu, g->cpu + now - from, __ATOMIC_RELAXED);
    set_from(g, 0);
}

void cputime_keep(void)
{
    observe_from_now(OBSERVE_CPU);
}

void cputime_forget(void)
{
    observed = (uint8_t)(observed & ~OBSERVE_CPU);
}

void cputime_continue(struct green *g)
{
    set_from(g, kernel_thread_cpu(0));
}

void cputime_leave(struct green *g)
{
    add_until(g, kernel_thread_cpu(0));
}

void cputime_switch(struct green *from, struct green *to)
{
    int64_t now = kernel_thread_cpu(0);
    add_until(from, now);
    set_from(to, now);
}

/* CPU time of the kernel thread that runs g, 0 when none does. */
static int64_t runner_cpu(const struct green *g)
{
    int tid = g == self() ? 0 : carrier_running(g);
    return tid || g == self() ? kernel_thread_cpu(tid) : 0;
}

/* Its turn began before anybody asked. */
static void begin_late(struct green *g)
{
    int64_t none = 0, now = runner_cpu(g);
    if (now)
        __atomic_compare_exchange_n(&g->cpu_from, &none, now, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
}

/* False when g was switched to or from meanwhile. */
static bool look(const struct green *g, int64_t *used)
{
    int64_t from = get_from(g);
    if (from == CHANGES) {
        sys_yield();
        return false;
    }
    *used = __atomic_load_n(&g->cpu, __ATOMIC_ACQUIRE);
    int64_t now = from ? runner_cpu(g) : 0;
    if (now > from)
        *used += now - from;
    return get_from(g) == from;
}

int64_t cputime_of(struct green *g)
{
    int64_t used;
    cputime_keep();
    if (!get_from(g))
        begin_late(g);
    while (!look(g, &used))
        ;
    return used;
}
