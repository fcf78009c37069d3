/* syscall(): numbers that block, or concern the caller's signals, go where the libc calls of the same name go, if a green
   thread asks; all others pass untouched. */
#include "hook.h"

#include "arch/probe.h"
#include "base/sys.h"
#include "body/observe.h"
#include "body/tcb.h"
#include "io/calls.h"
#include "io/io.h"
#include "proc/fork.h"
#include "proc/own_thread.h"
#include "proc/signals.h"
#include "proc/sigtimer.h"
#include "segment.h"
#include "sync/futex.h"
#include "sync/thread.h"
#include "tp.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdarg.h>
#include <string.h>

pid_t hook_gettid(void)
{
    return WHEN_GREEN(THREAD) ? tcb_tid(tcb_thread_of(tp_get())) : REAL(gettid)();
}

/* The kernel writes back what is left of ppoll's and pselect's timeouts; libc hides it. */
static long note_left(struct timespec *timeout, deadline_t deadline, long r)
{
    if (timeout && deadline != DEADLINE_NEVER)
        *timeout = ns_to_timespec(deadline_left(deadline));
    return r;
}

static deadline_t limit_of(const struct timespec *timeout)
{
    deadline_t d = DEADLINE_NEVER;
    deadline_from_rel(timeout, &d);
    return d;
}

/* The kernel is to say what is wrong. */
static long raw(long number, const long *a)
{
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long raw_ppoll(const long *a)
{
    if (!probe_given((const void *)a[2], sizeof(struct timespec)) ||
        !probe_given((const void *)a[3], sizeof(uint64_t)))
        return raw(SYS_ppoll, a);
    struct timespec *timeout = (struct timespec *)a[2];
    deadline_t deadline = limit_of(timeout);
    int r = hook_ppoll((struct pollfd *)a[0], (nfds_t)a[1], timeout, (const sigset_t *)a[3]);
    return note_left(timeout, deadline, r);
}

static long raw_select(const long *a)
{
    if (!probe_given((const void *)a[4], sizeof(struct timeval)))
        return errno_edge(-EFAULT);
    return hook_select((int)a[0], (fd_set *)a[1], (fd_set *)a[2], (fd_set *)a[3],
                       (struct timeval *)a[4]);
}

/* The sixth word points to the mask and its size. */
static long raw_pselect(const long *a)
{
    if (!probe_given((const void *)a[4], sizeof(struct timespec)) ||
        !probe_given((const void *)a[5], 2 * sizeof(void *)) ||
        (a[5] && !probe_given(*(const void **)a[5], sizeof(uint64_t))))
        return raw(SYS_pselect6, a);
    struct timespec *timeout = (struct timespec *)a[4];
    const sigset_t *mask = a[5] ? *(const sigset_t **)a[5] : NULL;
    deadline_t deadline = limit_of(timeout);
    int r = hook_pselect((int)a[0], (fd_set *)a[1], (fd_set *)a[2], (fd_set *)a[3], timeout, mask);
    return note_left(timeout, deadline, r);
}

static long raw_clock_nanosleep(const long *a)
{
    if (a[0] == CLOCK_THREAD_CPUTIME_ID) /* libc's answer is another */
        return raw(SYS_clock_nanosleep, a);
    return errno_edge(-hook_clock_nanosleep(
        (clockid_t)a[0], (int)a[1], (const struct timespec *)a[2], (struct timespec *)a[3]));
}

/* The kernel tells how many bytes it has written, and a nice value that is no error. */
static long raw_getaffinity(const long *a)
{
    long size = REAL(syscall)(SYS_sched_getaffinity, 0, a[1], a[2]);
    return size < 0 || hook_sched_getaffinity((pid_t)a[0], (size_t)size, (cpu_set_t *)a[2]) ? -1
                                                                                            : size;
}

static long raw_getpriority(const long *a)
{
    int saved = errno;
    errno = 0;
    int r = hook_getpriority((__priority_which_t)a[0], (id_t)a[1]);
    if (r == -1 && errno)
        return -1;
    errno = saved;
    return 20 - r;
}

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
static bool signal_call(long number, const long *a, long *r)
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

#define PTR(type, i) ((type *)a[i])
#define FD ((int)a[0])

/* Others make threads, or stop their parent: not ours to wrap. */
static bool forks_here(uint64_t flags, uint64_t own_stack)
{
    return !own_stack && forks(flags) && WHEN_ALWAYS(PROCESS);
}

/* True with *r set when number is one that a green thread may wait in, or that the fd table must
   see. */
static bool green_call(long number, const long *a, long *r)
{
    switch (number) {
#define CASE(n, call)                                                                              \
    case SYS_##n:                                                                                  \
        *r = (call);                                                                               \
        return true;
        CASE(read, hook_read(FD, PTR(void, 1), (size_t)a[2]))
        CASE(write, hook_write(FD, PTR(void, 1), (size_t)a[2]))
        CASE(readv, hook_readv(FD, PTR(struct iovec, 1), (int)a[2]))
        CASE(writev, hook_writev(FD, PTR(struct iovec, 1), (int)a[2]))
        CASE(recvfrom, hook_recvfrom(FD, PTR(void, 1), (size_t)a[2], (int)a[3],
                                     PTR(struct sockaddr, 4), PTR(socklen_t, 5)))
        CASE(sendto, hook_sendto(FD, PTR(void, 1), (size_t)a[2], (int)a[3], PTR(struct sockaddr, 4),
                                 (socklen_t)a[5]))
        CASE(recvmsg, hook_recvmsg(FD, PTR(struct msghdr, 1), (int)a[2]))
        CASE(sendmsg, hook_sendmsg(FD, PTR(struct msghdr, 1), (int)a[2]))
        CASE(recvmmsg, hook_recvmmsg(FD, PTR(struct mmsghdr, 1), (unsigned)a[2], (int)a[3],
                                     PTR(struct timespec, 4)))
        CASE(sendmmsg, hook_sendmmsg(FD, PTR(struct mmsghdr, 1), (unsigned)a[2], (int)a[3]))
        CASE(sendfile, hook_sendfile(FD, (int)a[1], PTR(off_t, 2), (size_t)a[3]))
        CASE(splice,
             hook_splice(FD, PTR(off_t, 1), (int)a[2], PTR(off_t, 3), (size_t)a[4], (unsigned)a[5]))
        CASE(tee, hook_tee(FD, (int)a[1], (size_t)a[2], (unsigned)a[3]))
        CASE(accept, hook_accept(FD, PTR(struct sockaddr, 1), PTR(socklen_t, 2)))
        CASE(accept4, hook_accept4(FD, PTR(struct sockaddr, 1), PTR(socklen_t, 2), (int)a[3]))
        CASE(connect, hook_connect(FD, PTR(struct sockaddr, 1), (socklen_t)a[2]))
        CASE(shutdown, hook_shutdown(FD, (int)a[1]))
        CASE(setsockopt, hook_setsockopt(FD, (int)a[1], (int)a[2], PTR(void, 3), (socklen_t)a[4]))
#ifdef SYS_poll /* not on newer CPUs */
        CASE(poll, hook_poll(PTR(struct pollfd, 0), (nfds_t)a[1], (int)a[2]))
        CASE(select, raw_select(a))
        CASE(epoll_wait, hook_epoll_wait(FD, PTR(struct epoll_event, 1), (int)a[2], (int)a[3]))
        CASE(dup2, hook_dup2(FD, (int)a[1]))
        CASE(pipe, hook_pipe(PTR(int, 0)))
        CASE(fork, hook__Fork())
#endif
        CASE(ppoll, raw_ppoll(a))
        CASE(pselect6, raw_pselect(a))
        CASE(epoll_pwait, hook_epoll_pwait(FD, PTR(struct epoll_event, 1), (int)a[2], (int)a[3],
                                           PTR(sigset_t, 4)))
        CASE(epoll_pwait2, hook_epoll_pwait2(FD, PTR(struct epoll_event, 1), (int)a[2],
                                             PTR(struct timespec, 3), PTR(sigset_t, 4)))
        CASE(nanosleep, hook_nanosleep(PTR(struct timespec, 0), PTR(struct timespec, 1)))
        CASE(clock_nanosleep, raw_clock_nanosleep(a))
        CASE(clock_gettime, hook_clock_gettime((clockid_t)a[0], PTR(struct timespec, 1)))
        CASE(clock_getres, hook_clock_getres((clockid_t)a[0], PTR(struct timespec, 1)))
        CASE(getrusage, hook_getrusage((__rusage_who_t)a[0], PTR(struct rusage, 1)))
        CASE(sched_yield, hook_sched_yield())
        CASE(sched_getparam, hook_sched_getparam((pid_t)a[0], PTR(struct sched_param, 1)))
        CASE(sched_setparam, hook_sched_setparam((pid_t)a[0], PTR(struct sched_param, 1)))
        CASE(sched_getscheduler, hook_sched_getscheduler((pid_t)a[0]))
        CASE(sched_setscheduler,
             hook_sched_setscheduler((pid_t)a[0], (int)a[1], PTR(struct sched_param, 2)))
        CASE(sched_getattr, evy_sched_getattr((pid_t)a[0], PTR(struct kernel_sched, 1),
                                              (unsigned)a[2], (unsigned)a[3]))
        CASE(sched_setattr,
             evy_sched_setattr((pid_t)a[0], PTR(struct kernel_sched, 1), (unsigned)a[2]))
        CASE(sched_setaffinity,
             hook_sched_setaffinity((pid_t)a[0], (size_t)a[1], PTR(cpu_set_t, 2)))
        CASE(sched_getaffinity, raw_getaffinity(a))
        CASE(getpriority, raw_getpriority(a))
        CASE(setpriority, hook_setpriority((__priority_which_t)a[0], (id_t)a[1], (int)a[2]))
        CASE(getcpu, hook_getcpu(PTR(unsigned, 0), PTR(unsigned, 1)))
        CASE(gettid, hook_gettid())
        CASE(tkill, WHEN_GREEN(SIGNAL) ? evy_tkill((pid_t)a[0], (int)a[1]) : raw(SYS_tkill, a))
        CASE(kill, hook_kill((pid_t)a[0], (int)a[1]))
        CASE(tgkill, hook_tgkill((pid_t)a[0], (pid_t)a[1], (int)a[2]))
        CASE(set_tid_address, hook_gettid()) /* what it sets belongs to the carrier, not to us */
        CASE(set_robust_list,                /* likewise */
             errno_edge(a[1] == sizeof(struct robust_list_head) ? 0 : -EINVAL))
        CASE(close, hook_close(FD))
        CASE(close_range, hook_close_range((unsigned)a[0], (unsigned)a[1], (int)a[2]))
        CASE(dup, hook_dup(FD))
        CASE(dup3, hook_dup3(FD, (int)a[1], (int)a[2]))
        CASE(fcntl, hook_fcntl(FD, (int)a[1], a[2]))
        CASE(ioctl, hook_ioctl(FD, (unsigned long)a[1], a[2]))
        CASE(pipe2, hook_pipe2(PTR(int, 0), (int)a[1]))
        CASE(socket, hook_socket((int)a[0], (int)a[1], (int)a[2]))
        CASE(socketpair, hook_socketpair((int)a[0], (int)a[1], (int)a[2], PTR(int, 3)))
        CASE(capget, hook_capget(PTR(void, 0), PTR(void, 1)))
        CASE(capset, hook_capset(PTR(void, 0), PTR(void, 1)))
        CASE(prctl, hook_prctl((int)a[0], a[1], a[2], a[3], a[4]))
        CASE(wait4, hook_wait4((pid_t)a[0], PTR(int, 1), (int)a[2], PTR(struct rusage, 3)))
#undef CASE
    case SYS_clone:
        if (a[0] == SIGCHLD && !a[1]) {
            *r = hook__Fork();
            return true;
        }
        return forks_here((uint64_t)a[0], (uint64_t)a[1]) && (*r = evy_clone_bare(number, a), true);
    case SYS_clone3:
        return a[1] >= CLONE_ARGS_SIZE_VER0 && probe(PTR(void, 0), CLONE_ARGS_SIZE_VER0) &&
               forks_here(PTR(struct clone_args, 0)->flags, PTR(struct clone_args, 0)->stack) &&
               (*r = evy_clone_bare(number, a), true);
    case SYS_waitid:
        if (a[4]) /* libc's waitid tells no resource usage */
            return false;
        *r = hook_waitid((idtype_t)a[0], (id_t)a[1], PTR(siginfo_t, 2), (int)a[3]);
        return true;
    default:
        own_thread_for(number, a);
        return false;
    }
}

/* syscall() is no cancellation point, whatever it calls. */
static bool uncancelled(long number, const long *a, long *r)
{
    struct green *g = self();
    unsigned off = g->flags & (GREEN_CANCEL_OFF | GREEN_CANCEL_ASYNC) ? 0 : GREEN_CANCEL_OFF;
    g->flags |= off;
    bool done = green_call(number, a, r) || (WHEN_GREEN(SIGNAL) && signal_call(number, a, r));
    g->flags &= ~off;
    return done;
}

static long call(long number, const long *a)
{
    long r;
    if (number == SYS_futex && WHEN_LOCKS(THREAD))
        return evy_futex(a);
    if (number == SYS_futex_waitv && self() && WHEN_LOCKS(THREAD))
        return evy_futex_waitv(a);
    if (segment_sets(number))
        observe_from_now(OBSERVE_SEGMENT);
    if (self() && uncancelled(number, a, &r))
        return r;
    return raw(number, a);
}

/* As libc's: takes six words whatever the number needs. */
long hook_syscall(long number, ...)
{
    long a[6];
    va_list ap;
    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    return call(number, a);
}
