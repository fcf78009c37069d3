/* syscall(): numbers that block, or concern the caller's signals, go where the libc calls of the same name go, if a green
   thread asks; all others pass untouched. */
#include "syscall_signal.h"

#include "arch/probe.h"
#include "base/sys.h"
#include "body/observe.h"
#include "body/tcb.h"
#include "io/calls.h"
#include "io/io.h"
#include "proc/fork.h"
#include "proc/own_thread.h"
#include "proc/signals.h"
#include "segment.h"
#include "sync/futex.h"
#include "sync/thread.h"
#include "tp.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdarg.h>

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
