#include "core/monitor.h"

#include "base/clock.h"
#include "base/sys.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "real/real.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

/* A hub that has not switched between two looks is looked at a third time, soon: then it is stuck. */
#define PERIOD_NS 6000000
#define DOUBT_NS 2000000
#define HASTY_NS 250000 /* soon after a hand-off: those behind a stuck one may be stuck too */
#define HASTY_LOOKS 32

#define QUIET_NS 100000000

atomic_uint monitor_rests;
void (*monitor_quiet)(void);

static atomic_uint hurry; /* futex: 1 when it is not to wait for its period's end */
static unsigned hasty;    /* looks left in the shortest periods */
static bool doubt;        /* some hub has not switched */
static int64_t period;    /* between the last look and this one */

int kernel_thread(void *(*body)(void *), void *arg)
{
    static const int own_doing[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL, SIGTRAP,
                                    SIGSYS,  SIGPIPE, SIGXFSZ, SIGURG};
    sigset_t blocked, old;
    pthread_attr_t attr;
    pthread_t thread;
    sigfillset(&blocked);
    for (size_t i = 0; i < array_len(own_doing); i++)
        sigdelset(&blocked, own_doing[i]);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, (size_t)128 << 10);
    REAL(pthread_sigmask)(SIG_SETMASK, &blocked, &old);
    int err = REAL(pthread_create)(&thread, &attr, body, arg);
    REAL(pthread_sigmask)(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return -err;
}

static bool all_asleep(void)
{
    for (unsigned i = 0; i < hub_count; i++)
        if (!atomic_load(&hubs[i].asleep))
            return false;
    return true;
}

static unsigned all_switches(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < hub_count; i++)
        n += atomic_load_explicit(&hubs[i].switches, memory_order_relaxed);
    return n;
}

/* Sleeps until some hub wakes. */
static void rest(void)
{
    static unsigned told_at; /* what all_switches was when the quiet was last told of */
    unsigned switches = all_switches();
    bool tell = monitor_quiet && switches != told_at;
    struct timespec until = ns_to_timespec(clock_now() + QUIET_NS);
    if (sys_futex_wait(&monitor_rests, 1, tell ? &until : NULL) != -ETIMEDOUT)
        return;
    told_at = switches;
    monitor_quiet();
}

/* Costs nothing while nothing happens: who wakes a hub rouses us. That one stores asleep, then loads monitor_rests,
   without a fence. */
static void rest_while_all_sleep(void)
{
    while (all_asleep()) {
        atomic_store(&monitor_rests, 1);
        sys_membarrier();
        if (all_asleep())
            rest();
        atomic_store(&monitor_rests, 0);
    }
}

void monitor_rouse_slow(void)
{
    if (atomic_exchange(&monitor_rests, 0))
        sys_futex_wake(&monitor_rests, 1);
}

void monitor_hurry(void)
{
    if (!atomic_exchange(&hurry, 1))
        sys_futex_wake(&hurry, 1);
}

static void pause_for_period(void)
{
    period = hasty ? HASTY_NS : doubt ? DOUBT_NS : PERIOD_NS;
    hasty -= hasty > 0;
    doubt = false;
    struct timespec until = ns_to_timespec(clock_now() + period);
    sys_futex_wait(&hurry, 0, &until);
    atomic_store(&hurry, 0);
}

static int64_t cpu_time(int tid)
{
    struct timespec ts;
    clockid_t clock =
        (clockid_t)(~(unsigned)tid << 3 | 6); /* CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED */
    return sys3(SYS_clock_gettime, clock, &ts, 0) < 0 ? 0 : timespec_to_ns(&ts);
}

/* Its carrier would run if there were a processor for it: another kernel thread would not get one either. */
static bool lacks_processor(struct hub *h)
{
    int64_t used = cpu_time(h->carrier->tid) - h->cpu_seen;
    return used < period / 4 && carrier_wants_processor(h->carrier);
}

/* h has not switched since the last look. */
static void look_closely(struct hub *h)
{
    doubt = true;
    if (h->still++ == 0 || lacks_processor(h)) {
        h->cpu_seen = cpu_time(h->carrier->tid);
    } else {
        h->still = 0;
        if (carrier_take_over(h))
            hasty = HASTY_LOOKS;
    }
}

static void look_at(struct hub *h)
{
    unsigned switches = atomic_load_explicit(&h->switches, memory_order_relaxed);
    /* it polls now and then, however long the turns */
    __atomic_store_n(&h->budget, 0, __ATOMIC_RELAXED);
    if (atomic_exchange(&h->wanted, 0)) {
        carrier_take_over(h);
    } else if (switches != h->switches_seen || atomic_load(&h->asleep)) {
        h->switches_seen = switches;
        h->still = 0;
    } else {
        look_closely(h);
    }
}

static void *monitor_main(void *unused)
{
    for (;;) {
        rest_while_all_sleep();
        pause_for_period();
        for (unsigned i = 0; i < hub_count; i++)
            look_at(&hubs[i]);
    }
    return unused;
}

int monitor_start(void)
{
    return kernel_thread(monitor_main, NULL);
}

void monitor_forget(void)
{
    atomic_store(&monitor_rests, 0);
}
