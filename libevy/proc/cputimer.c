#include "proc/cputimer.h"

#include "base/clock.h"
#include "base/spin.h"
#include "body/critical.h"
#include "real/real.h"
#include "sync/cpuclock.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define LOOKS_NS 2000000 /* between looks at a clock that stands still */

struct cpu_timer {
    struct cpu_timer *next; /* lock */
    timer_t id;             /* the program's; constant, as the next two */
    timer_t watch;
    clockid_t clock;
    int64_t due;      /* CPU time in ns, 0: disarmed; lock */
    int64_t interval; /* lock */
};

static struct cpu_timer *timers; /* lock */
static struct spin lock;         /* nests inside nothing; held over timer_settime of the kernel */

static void begin(void)
{
    critical_enter();
    spin_lock(&lock);
}

static void end(void)
{
    spin_unlock(&lock);
    critical_leave();
}

static struct cpu_timer *find(timer_t id)
{
    struct cpu_timer *t = timers;
    while (t && t->id != id)
        t = t->next;
    return t;
}

static struct cpu_timer *find_watch(int id)
{
    struct cpu_timer *t = timers;
    while (t && (int)(intptr_t)t->watch != id)
        t = t->next;
    return t;
}

int cputimer_make(timer_t timer, clockid_t clock, pid_t taker, int sig)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = sig};
    struct cpu_timer *t = taker ? calloc(1, sizeof *t) : NULL;
    event.sigev_notify_thread_id = taker;
    if (!t || REAL(timer_create)(CLOCK_MONOTONIC, &event, &t->watch)) {
        free(t);
        return -EAGAIN;
    }
    t->id = timer;
    t->clock = clock;
    begin();
    t->next = timers;
    timers = t;
    end();
    return 0;
}

/* ns 0: not at all. */
static void set_off_in(timer_t timer, int64_t ns)
{
    struct itimerspec when = {.it_value = ns_to_timespec(ns)};
    REAL(timer_settime)(timer, 0, &when, NULL);
}

static void watch(const struct cpu_timer *t, int64_t used)
{
    int64_t left = t->due - used;
    set_off_in(t->watch, !t->due ? 0 : left < LOOKS_NS ? LOOKS_NS : left);
}

/* The time has come: once, however many intervals have passed. */
static void expire(struct cpu_timer *t, int64_t used)
{
    set_off_in(t->id, 1);
    t->due = t->interval ? t->due + ((used - t->due) / t->interval + 1) * t->interval : 0;
}

void cputimer_came(int id)
{
    begin();
    const struct cpu_timer *found = find_watch(id);
    clockid_t clock = found ? found->clock : 0;
    end();
    int64_t used = found ? cpuclock_read(clock) : -1;
    begin();
    struct cpu_timer *t = find_watch(id);
    if (t && used < 0)
        t->due = 0; /* the thread has ended */
    if (t && t->due && used >= t->due)
        expire(t, used);
    if (t)
        watch(t, used);
    end();
}

static void tell(const struct cpu_timer *t, int64_t used, struct itimerspec *when)
{
    int64_t left = t->due - used;
    when->it_interval = ns_to_timespec(t->interval);
    when->it_value = ns_to_timespec(!t->due ? 0 : left > 0 ? left : 1);
}

/* Nothing of an earlier setting expires afterwards. */
static void arm(struct cpu_timer *t, int flags, const struct itimerspec *when, int64_t used)
{
    int64_t value = timespec_to_ns(&when->it_value);
    set_off_in(t->id, 0);
    t->interval = timespec_to_ns(&when->it_interval);
    t->due = value && !(flags & TIMER_ABSTIME) ? used + value : value;
    if (t->due && used >= t->due)
        expire(t, used);
    watch(t, used);
}

static bool clock_of(timer_t timer, clockid_t *clock)
{
    begin();
    const struct cpu_timer *t = find(timer);
    if (t)
        *clock = t->clock;
    end();
    return t != NULL;
}

bool cputimer_set(timer_t timer, int flags, const struct itimerspec *when, struct itimerspec *old,
                  int *result)
{
    clockid_t clock;
    if (!clock_of(timer, &clock))
        return false;
    *result = -EINVAL;
    if (!when || !timespec_valid(&when->it_value) || !timespec_valid(&when->it_interval))
        return true;
    int64_t used = cpuclock_read(clock);
    *result = used < 0 ? -ESRCH : 0;
    begin();
    struct cpu_timer *t = find(timer);
    if (t && used >= 0) {
        if (old)
            tell(t, used, old);
        arm(t, flags, when, used);
    }
    end();
    return true;
}

bool cputimer_get(timer_t timer, struct itimerspec *when, int *result)
{
    clockid_t clock;
    if (!clock_of(timer, &clock))
        return false;
    int64_t used = cpuclock_read(clock);
    begin();
    struct cpu_timer *t = find(timer);
    if (t && used < 0)
        t->due = 0;
    if (t)
        tell(t, used, when);
    end();
    *result = 0;
    return true;
}

void cputimer_delete(timer_t timer)
{
    begin();
    struct cpu_timer **at = &timers;
    while (*at && (*at)->id != timer)
        at = &(*at)->next;
    struct cpu_timer *t = *at;
    if (t) {
        *at = t->next;
        REAL(timer_delete)(t->watch);
    }
    end();
    free(t);
}

void cputimers_forget(void)
{
    lock = (struct spin){0};
    timers = NULL;
}
