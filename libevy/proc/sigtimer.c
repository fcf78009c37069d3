#include "proc/sigtimer.h"

#include "base/spin.h"
#include "base/sys.h"
#include "core/critical.h"
#include "core/lot.h"
#include "core/monitor.h"
#include "core/tcb.h"
#include "io/io.h"
#include "proc/sigstate.h"
#include "real/real.h"
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
    pid_t tid;                 /* whom it is for; constant, as all below */
    int sig;
    union sigval value;
};

static struct thread_timer *timers; /* timers_lock */
static struct spin timers_lock;     /* nests inside nothing */
static atomic_uint taker;           /* tid of the kernel thread, 0: none yet, TAKER_FAILED: none */
static atomic_bool started;         /* somebody has seen to it */

#define TAKER_FAILED (~0u)

static bool find(int id, struct thread_timer *found)
{
    spin_lock(&timers_lock);
    const struct thread_timer *t = timers;
    while (t && (int)(intptr_t)t->id != id)
        t = t->next;
    if (t)
        *found = *t;
    spin_unlock(&timers_lock);
    return t != NULL;
}

static void send_on(siginfo_t *info)
{
    struct thread_timer t;
    if (!find(info->si_timerid, &t))
        return;
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
    struct thread_timer **at = &timers;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    struct thread_timer *t = *at;
    if (t)
        *at = t->next;
    spin_unlock(&timers_lock);
    critical_leave();
    return t;
}

static int create(clockid_t clock, const struct sigevent *event, timer_t *timer)
{
    struct sigevent kernels = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIG_TIMER};
    struct thread_timer *t = malloc(sizeof *t);
    kernels.sigev_notify_thread_id = find_taker();
    if (!t || !kernels.sigev_notify_thread_id || REAL(timer_create)(clock, &kernels, timer)) {
        int err = t && kernels.sigev_notify_thread_id ? errno : EAGAIN;
        free(t);
        return (int)errno_edge(-err);
    }
    *t = (struct thread_timer){NULL, *timer, event->sigev_notify_thread_id, event->sigev_signo,
                               event->sigev_value};
    enter(t);
    return 0;
}

int evy_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
    if (!event || event->sigev_notify != SIGEV_THREAD_ID ||
        !thread_with_tid(event->sigev_notify_thread_id))
        return REAL(timer_create)(clock, event, timer);
    if (!sig_valid(event->sigev_signo))
        return (int)errno_edge(-EINVAL);
    return create(clock, event, timer);
}

/* Its number may be another timer's as soon as the kernel has it back. */
int evy_timer_delete(timer_t timer)
{
    free(leave(timer));
    return REAL(timer_delete)(timer);
}

void sigtimers_forget(void)
{
    timers_lock = (struct spin){0};
    timers = NULL;
    atomic_store(&taker, 0);
    atomic_store(&started, false);
}
