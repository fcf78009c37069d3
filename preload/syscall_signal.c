/* syscall() of numbers that concern signals and timers: where the libc calls of the same name go. */
#include "syscall_signal.h"

#include "arch/probe.h"
#include "base/sys.h"
#include "io/io.h"
#include "proc/signals.h"
#include "proc/sigtimer.h"

#include <errno.h>
#include <string.h>

static sigset_t wide(const uint64_t *word)
{
    sigset_t set;
    memset(&set, 0, sizeof set);
    memcpy(&set, word, sizeof *word);
    return set;
}

static long raw_sigaction(const long *a)
{
    const struct kernel_action *new = (const struct kernel_action *)a[1];
    struct kernel_action *old = (struct kernel_action *)a[2];
    struct sigaction act, was;
    if (!probe_given((const void *)a[1], sizeof *new))
        return errno_edge(-EFAULT);
    if (new) {
        act = (struct sigaction){.sa_mask = wide(&new->mask), .sa_flags = (int)new->flags};
        act.sa_sigaction = new->handler;
        act.sa_restorer = new->restorer;
    }
    int r = hook_sigaction((int)a[0], new ? &act : NULL, &was);
    if (r == 0 && !probe_given((const void *)a[2], sizeof *old))
        return errno_edge(-EFAULT);
    if (r == 0 && old) {
        *old = (struct kernel_action){was.sa_sigaction, (unsigned)was.sa_flags, was.sa_restorer, 0};
        memcpy(&old->mask, &was.sa_mask, sizeof old->mask);
    }
    return r;
}

static long raw_sigprocmask(const long *a)
{
    sigset_t set, old;
    if (!probe_given((const void *)a[1], sizeof(uint64_t)))
        return errno_edge(-EFAULT);
    if (a[1])
        set = wide((const uint64_t *)a[1]);
    int r = hook_sigprocmask((int)a[0], a[1] ? &set : NULL, &old);
    if (r == 0 && !probe_given((const void *)a[2], sizeof(uint64_t)))
        return errno_edge(-EFAULT);
    if (r == 0 && a[2])
        memcpy((void *)a[2], &old, sizeof(uint64_t));
    return r;
}

static long raw_sigpending(const long *a)
{
    sigset_t set;
    int r = hook_sigpending(&set);
    if (r == 0 && !probe((void *)a[0], sizeof(uint64_t)))
        return errno_edge(-EFAULT);
    if (r == 0)
        memcpy((void *)a[0], &set, sizeof(uint64_t));
    return r;
}

static long raw_sigsuspend(const long *a)
{
    if (!probe((const void *)a[0], sizeof(uint64_t)))
        return errno_edge(-EFAULT);
    sigset_t set = wide((const uint64_t *)a[0]);
    return hook_sigsuspend(&set);
}

static long raw_sigtimedwait(const long *a)
{
    if (!probe((const void *)a[0], sizeof(uint64_t)) ||
        !probe_given((const void *)a[2], sizeof(struct timespec)))
        return errno_edge(-EFAULT);
    sigset_t set = wide((const uint64_t *)a[0]);
    return evy_rt_sigtimedwait(&set, (siginfo_t *)a[1], (const struct timespec *)a[2]);
}

/* libc has numbers of its own for those with SIGEV_THREAD; all others have the kernel's. */
static long raw_timer_create(const long *a)
{
    struct sigevent *event = (struct sigevent *)a[1];
    timer_t timer;
    if (!probe_given(event, sizeof *event) || !probe((void *)a[2], sizeof(int)) ||
        (event && event->sigev_notify == SIGEV_THREAD) || !timer_needs_us((clockid_t)a[0], event))
        return raw(SYS_timer_create, a);
    int r = hook_timer_create((clockid_t)a[0], event, &timer);
    if (r == 0)
        *(int *)a[2] = (int)(intptr_t)timer;
    return r;
}

/* libc takes negative numbers for its own. */
static bool is_kernels(long timer)
{
    return (int)timer >= 0;
}

static timer_t timer_of(long number)
{
    return (timer_t)(intptr_t)(int)number;
}

static long raw_timer_settime(const long *a)
{
    const struct itimerspec *when = (const struct itimerspec *)a[2];
    struct itimerspec *old = (struct itimerspec *)a[3];
    if (!is_kernels(a[0]) || !probe(when, sizeof *when) || !probe_given(old, sizeof *old))
        return raw(SYS_timer_settime, a);
    return hook_timer_settime(timer_of(a[0]), (int)a[1], when, old);
}

static long raw_timer_gettime(const long *a)
{
    struct itimerspec *when = (struct itimerspec *)a[1];
    if (!is_kernels(a[0]) || !probe(when, sizeof *when))
        return raw(SYS_timer_gettime, a);
    return hook_timer_gettime(timer_of(a[0]), when);
}

static long raw_timer_delete(const long *a)
{
    return is_kernels(a[0]) ? hook_timer_delete(timer_of(a[0])) : raw(SYS_timer_delete, a);
}

/* Their sets have as many bytes as the kernel has signals; who says otherwise is told so by the kernel. */
bool signal_call(long number, const long *a, long *r)
{
    size_t size = sizeof(uint64_t);
    switch (number) {
#define CASE(n, size_given, call)                                                                  \
    case SYS_##n:                                                                                  \
        if ((size_t)(size_given) != size)                                                          \
            return false;                                                                          \
        *r = (call);                                                                               \
        return true;
        CASE(rt_sigaction, a[3], raw_sigaction(a))
    case SYS_rt_sigprocmask: /* who has it do nothing asks whether it can read the memory */
        if ((size_t)a[3] != size || a[0] < SIG_BLOCK || a[0] > SIG_SETMASK)
            return false;
        *r = raw_sigprocmask(a);
        return true;
        CASE(rt_sigpending, a[1], raw_sigpending(a))
        CASE(rt_sigsuspend, a[1], raw_sigsuspend(a))
        CASE(rt_sigtimedwait, a[3], raw_sigtimedwait(a))
        CASE(rt_sigqueueinfo, size,
             evy_rt_sigqueueinfo((pid_t)a[0], (int)a[1], (const siginfo_t *)a[2]))
        CASE(pidfd_send_signal, size,
             hook_pidfd_send_signal((int)a[0], (int)a[1], (siginfo_t *)a[2], (unsigned)a[3]))
        CASE(rt_tgsigqueueinfo, size,
             evy_tgsigqueueinfo((pid_t)a[0], (pid_t)a[1], (int)a[2], (const siginfo_t *)a[3]))
        CASE(timer_create, size, raw_timer_create(a))
        CASE(timer_settime, size, raw_timer_settime(a))
        CASE(timer_gettime, size, raw_timer_gettime(a))
        CASE(timer_delete, size, raw_timer_delete(a))
        CASE(sigaltstack, size, hook_sigaltstack((const stack_t *)a[0], (stack_t *)a[1]))
#undef CASE
    default:
        return false;
    }
}
