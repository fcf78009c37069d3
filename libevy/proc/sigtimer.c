#include "proc/sigtimer.h"

#include "base/clock.h"
#include "base/spin.h"
#include "base/sys.h"
#include "body/critical.h"
#include "body/tcb.h"
#include "core/cputime.h"
#include "core/lot.h"
#include "core/monitor.h"
#include "io/io.h"
#include "proc/cputimer.h"
#include "proc/own_thread.h"
#include "proc/sigstate.h"
#include "real/real.h"
#include "sync/cpuclock.h"
#include "sync/thread.h"

#include <errno.h>
#include <stdlib.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define SIG_TIMER                                                                                  \
    32 /* glibc's own, which it too directs at single threads only; no program can block or handle it */

struct thread_timer {
    struct thread_timer *next; /* timers_lock */
    timer_t id;                /* the kernel's */
    pid_t tid;                 /* whom it is for, 0: not for us to say; constant, as all below */
    int sig;
    union sigval value;
    int64_t
        ahead; /* of its clock, if that is a thread's CPU clock, to the kernel thread's; else 0 */
};

static struct thread_timer *timers; /* timers_lock */
static struct spin timers_lock;     /* nests inside nothing */
static atomic_uint taker;           /* tid of the kernel thread, 0: none yet, TAKER_FAILED: none */
static atomic_bool started;         /* somebody has seen to it */

#define TAKER_FAILED (~0u)

/* Where the list leads to the timer, or ends. The lock is held. */
static struct thread_timer **place_of(timer_t id)
{
    struct thread_timer **at = &timers;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

/* A copy; all zero when it is none of ours. */
static struct thread_timer look_up(timer_t id)
{
    struct thread_timer found = {0};
    critical_enter();
    spin_lock(&timers_lock);
    const struct thread_timer *t = *place_of(id);
    if (t)
        found = *t;
    spin_unlock(&timers_lock);
    critical_leave();
    return found;
}

static void send_on(siginfo_t *info)
{
    struct thread_timer t = look_up((timer_t)(intptr_t)info->si_timerid);
    if (!t.tid) {
        cputimer_came(info->si_timerid);
        return;
    }
    struct green *g = thread_with_tid(t.tid);
    info->si_signo = t.sig;
    info->si_value = t.value;
    if (g)
        signal_send(g, t.sig, info);
}

static void *take(void *unused)
{
    uint64_t set = sig_bit(SIG_TIMER);
    siginfo_t info;
    sys_sigmask(SIG_BLOCK, &set);
    atomic_store(&taker, (unsigned)sys_gettid());
    sys_futex_wake(&taker, 1);
    for (;;) {
        if (sys_call4(SYS_rt_sigtimedwait, (long)&set, (long)&info, 0, sizeof set) == SIG_TIMER)
            send_on(&info);
    }
    return unused;
}

/* Returns its tid, 0 when there can be none. */
static int find_taker(void)
{
    if (!atomic_exchange(&started, true) && kernel_thread(take, NULL))
        atomic_store(&taker, TAKER_FAILED);
    while (atomic_load(&taker) == 0)
        sys_futex_wait(&taker, 0, NULL);
    return atomic_load(&taker) == TAKER_FAILED ? 0 : (int)atomic_load(&taker);
}

static void enter(struct thread_timer *t)
{
    critical_enter();
    spin_lock(&timers_lock);
    t->next = timers;
    timers = t;
    spin_unlock(&timers_lock);
    critical_leave();
}

static struct thread_timer *leave(timer_t id)
{
    critical_enter();
    spin_lock(&timers_lock);
    struct thread_timer **at = place_of(id), *t = *at;
    if (t)
        *at = t->next;
    spin_unlock(&timers_lock);
    critical_leave();
    return t;
}

static int make(clockid_t clock, struct sigevent *event, timer_t *timer, struct thread_timer *t)
{
    if (REAL(timer_create)(clock, event, timer))
        return -errno;
    t->id = *timer;
    enter(t);
    return 0;
}

/* What is for a green thread goes to the taker. */
static int make_directed(clockid_t clock, struct sigevent *event, timer_t *timer,
                         struct thread_timer *t)
{
    struct sigevent kernels = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIG_TIMER};
    kernels.sigev_notify_thread_id = find_taker();
    t->tid = event->sigev_notify_thread_id;
    t->sig = event->sigev_signo;
    t->value = event->sigev_value;
    if (!sig_valid(t->sig))
        return -EINVAL;
    return kernels.sigev_notify_thread_id ? make(clock, &kernels, timer, t) : -EAGAIN;
}

static bool is_directed(const struct sigevent *event)
{
    return event && event->sigev_notify == SIGEV_THREAD_ID &&
           thread_with_tid(event->sigev_notify_thread_id);
}

/* The kernel measures kernel threads: who makes a timer on its own clock gets one of its own. Returns on which of the
   kernel's clocks a timer for clock is made; *watched: it is cputimer.c's. */
static clockid_t take_cpuclock(clockid_t clock, struct thread_timer *t, bool *watched)
{
    *watched = cpuclock_read(clock) >= 0;
    if (!*watched)
        return clock;
    if (!is_own_cpuclock(clock) || own_thread_get())
        return CLOCK_MONOTONIC;
    *watched = false;
    t->ahead = cputime_of(self()) - kernel_thread_cpu(0);
    return CLOCK_THREAD_CPUTIME_ID;
}

bool timer_needs_us(clockid_t clock, const struct sigevent *event)
{
    return is_directed(event) || is_cpuclock(clock);
}

int evy_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
    if (!timer_needs_us(clock, event))
        return REAL(timer_create)(clock, event, timer);
    struct thread_timer *t = calloc(1, sizeof *t);
    if (!t)
        return (int)errno_edge(-EAGAIN);
    bool watched = false;
    clockid_t kernels = is_cpuclock(clock) ? take_cpuclock(clock, t, &watched) : clock;
    int r = (is_directed(event) ? make_directed : make)(kernels, event, timer, t);
    if (r) {
        free(t);
        return (int)errno_edge(r);
    }
    if (watched)
        r = cputimer_make(*timer, clock, find_taker(), SIG_TIMER);
    if (r)
        evy_timer_delete(*timer);
    return (int)errno_edge(r);
}

/* What has passed already is due at once; 0 would mean never. */
static struct timespec earlier(const struct timespec *at, int64_t ahead)
{
    int64_t ns = timespec_to_ns(at) - ahead;
    return ns_to_timespec(ns > 0 ? ns : 1);
}

int evy_timer_settime(timer_t timer, int flags, const struct itimerspec *when,
                      struct itimerspec *old)
{
    struct itimerspec own;
    int r;
    if (cputimer_set(timer, flags, when, old, &r))
        return (int)errno_edge(r);
    int64_t ahead = look_up(timer).ahead;
    if (ahead && flags & TIMER_ABSTIME && when && timespec_valid(&when->it_value) &&
        timespec_to_ns(&when->it_value)) {
        own = *when;
        own.it_value = earlier(&when->it_value, ahead);
        when = &own;
    }
    return REAL(timer_settime)(timer, flags, when, old);
}

int evy_timer_gettime(timer_t timer, struct itimerspec *when)
{
    int r;
    return cputimer_get(timer, when, &r) ? (int)errno_edge(r) : REAL(timer_gettime)(timer, when);
}

/* Its number may be another timer's as soon as the kernel has it back. */
int evy_timer_delete(timer_t timer)
{
    cputimer_delete(timer);
    free(leave(timer));
    return REAL(timer_delete)(timer);
}

void sigtimers_forget(void)
{
    cputimers_forget();
    timers_lock = (struct spin){0};
    timers = NULL;
    atomic_store(&taker, 0);
    atomic_store(&started, false);
}
