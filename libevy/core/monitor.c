#include "core/monitor.h"

#include "base/clock.h"
#include "base/sys.h"
#include "body/annotate.h"
#include "body/tcb.h"
#include "core/carrier.h"
#include "core/cputime.h"
#include "core/handoff.h"
#include "core/hub.h"
#include "real/real.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

/* A hub that has not polled for a while is looked at again, soon: when it has not even switched it is stuck. */
#define FRESH_NS 3000000
#define STUCK_NS 8000000
#define DOUBT_NS 2000000    /* between two such looks at least */
#define COMPUTES_NS 2000000 /* of CPU time in one turn */
#define STARVES_NS                                                                                 \
    30000000 /* without a processor, others being ready: a kernel thread more gets a share more */
#define HASTY_NS 250000 /* soon after a hand-off: those behind a stuck one may be stuck too */
#define HASTY_LOOKS 32

/* Between two looks: as often as a thousandth of a processor allows, and more often where hubs have got stuck. */
#define PERIOD_LEAST_NS 6000000
#define PERIOD_MOST_NS 25000000
#define PERIOD_COSTS 1400   /* a look's own time: some come earlier, to settle a doubt */
#define LOOKS_PER_CLOCK 16  /* what they cost is asked for once in so many */
#define ALERT_NS 1000000000 /* after a hand-off */
#define WARY_NS 100000000   /* after a look that has settled nothing */

#define QUIET_NS 100000000

#define KERNEL_STACK ((size_t)128 << 10)

atomic_uint monitor_rests;
void (*monitor_quiet)(void);

static atomic_uint hurry; /* futex: 1 when it is not to wait for its period's end */
static unsigned hasty;    /* looks left in the shortest periods */
static deadline_t look_again =
    DEADLINE_NEVER;         /* when, to find out what the last look has left in doubt */
static int64_t alert_until; /* periods are short */

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
    pthread_attr_setstacksize(&attr, align_up(KERNEL_STACK + tcb_facts.reserve, 4096));
    REAL(pthread_sigmask)(SIG_SETMASK, &blocked, &old);
    thread_maker *make = annotate_thread_maker();
    int err = (make ? make : REAL(pthread_create))(&thread, &attr, body, arg);
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
   without a fence. Where hubs wake often, looks cost less than being roused. */
static void rest_while_all_sleep(void)
{
    static unsigned seen; /* what all_switches was at the last look */
    while (all_asleep() && all_switches() == seen) {
        atomic_store(&monitor_rests, 1);
        sys_membarrier();
        if (all_asleep())
            rest();
        atomic_store(&monitor_rests, 0);
    }
    seen = all_switches();
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

/* The cost of a wake-up differs tenfold between machines. */
static int64_t calm_period(void)
{
    static int64_t used, period; /* by this thread when it was last asked; the answer */
    static unsigned looks;
    if (looks++ % LOOKS_PER_CLOCK)
        return period;
    int64_t now = kernel_thread_cpu(0);
    period = (now - used) / LOOKS_PER_CLOCK * PERIOD_COSTS;
    period = period < PERIOD_LEAST_NS  ? PERIOD_LEAST_NS
             : period > PERIOD_MOST_NS ? PERIOD_MOST_NS
                                       : period;
    used = now;
    return period;
}

static void pause_for_period(void)
{
    int64_t now = clock_now(), calm = calm_period();
    int64_t until = now + (hasty ? HASTY_NS : now < alert_until ? PERIOD_LEAST_NS : calm);
    if (until > look_again)
        until = look_again;
    hasty -= hasty > 0;
    look_again = DEADLINE_NEVER;
    struct timespec ts = ns_to_timespec(until);
    sys_futex_wait(&hurry, 0, &ts);
    atomic_store(&hurry, 0);
}

/* A blocking call may be handing it over just now. */
static struct carrier *hub_carrier(const struct hub *h)
{
    return __atomic_load_n(&h->carrier, __ATOMIC_ACQUIRE);
}

/* Its carrier would run if there were a processor for it, and has not yet had one for long: another kernel thread
   would hardly get one either. */
static bool lacks_processor(const struct hub *h, int64_t now)
{
    struct carrier *c = hub_carrier(h);
    return now - h->suspected_at < STARVES_NS &&
           kernel_thread_cpu(c->tid) - h->cpu_seen < COMPUTES_NS && carrier_wants_processor(c);
}

static void be_alert(int64_t until)
{
    if (alert_until < until)
        alert_until = until;
}

/* Where turns are long it is not looked at twice in each period. */
static void suspect(struct hub *h, int64_t now)
{
    int64_t stuck_at = __atomic_load_n(&h->tick, __ATOMIC_RELAXED) + STUCK_NS;
    int64_t again = now + DOUBT_NS > stuck_at ? now + DOUBT_NS : stuck_at;
    if (h->suspected_at)
        be_alert(now + WARY_NS);
    else if (again < look_again)
        look_again = again;
    h->suspected_at = now;
    h->cpu_seen = kernel_thread_cpu(hub_carrier(h)->tid);
}

static void take_over(struct hub *h, int64_t now)
{
    h->suspected_at = 0;
    if (!handoff_take_over(h))
        return;
    hasty = HASTY_LOOKS;
    be_alert(now + ALERT_NS);
}

/* It may have been given up in another turn than the one it was last suspected in. */
static void take_wanted(struct hub *h)
{
    h->cpu_seen = 0;
    handoff_take_over(h);
}

static void look_at(struct hub *h, int64_t now)
{
    unsigned switches = atomic_load_explicit(&h->switches, memory_order_relaxed);
    bool same = switches == h->switches_seen;
    int64_t since = now - __atomic_load_n(&h->tick, __ATOMIC_RELAXED);
    h->switches_seen = switches;
    /* it polls now and then, however long the turns */
    __atomic_store_n(&h->budget, 0, __ATOMIC_RELAXED);
    if (h->apart) /* it stays with its carrier */
        h->suspected_at = 0;
    else if (atomic_exchange(&h->wanted, 0))
        take_wanted(h);
    else if (atomic_load(&h->asleep) || (hasty ? !same : since < FRESH_NS))
        h->suspected_at = 0;
    else if (!h->suspected_at || !same)
        suspect(h, now);
    else if (lacks_processor(h, now))
        be_alert(now + WARY_NS);
    else
        take_over(h, now);
}

static void *monitor_main(void *unused)
{
    for (;;) {
        rest_while_all_sleep();
        pause_for_period();
        int64_t now = clock_now();
        for (unsigned i = 0; i < hub_count; i++)
            look_at(&hubs[i], now);
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
