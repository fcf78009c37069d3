/* Waiting for children. One child: its pidfd becomes readable when it ends. Any of several: the kernel gives
   nothing to wait on, and SIGCHLD is the program's, so the state is asked for again and again, soon at first, then
   each 10 ms: it costs less than a kernel thread that waits in its place, which would have to be started, fed with
   new children and freed from those that somebody else reaps. Programs that live from many children call waitpid
   from a SIGCHLD handler or with WNOHANG, which does not come here. Nor does a pidfd tell of a traced child's stops:
   who waits by it looks now and then, and once this process is known to trace it is not waited by. */
#include "proc/fork.h"

#include "base/clock.h"
#include "base/sys.h"
#include "body/critical.h"
#include "core/lot.h"
#include "core/own_fd.h"
#include "core/sched.h"
#include "io/io.h"
#include "io/watch.h"
#include "proc/private_fd.h"
#include "real/real.h"
#include "sync/cancel.h"

#include <fcntl.h>
#include <sys/resource.h>

#define PAUSE_FIRST 200000 /* ns between the first two looks */
#define PAUSE_LONGEST 10000000
#define LOOK_FIRST 10000000 /* ns until the first look for a stop of a child that may be traced */
#define LOOK_LONGEST 1000000000

struct patience {
    int64_t pause; /* until the next look */
    int64_t look;  /* likewise while a pidfd tells of the end */
    bool polls;    /* no pidfd, or it says what is not so: a thread of the child's group is late */
    bool broken;   /* a wait has ended with EINTR */
    unsigned breaks; /* of the caller, when the call began */
};

static struct patience patience(void)
{
    const struct green *g = self();
    return (struct patience){.pause = PAUSE_FIRST, .look = LOOK_FIRST, .breaks = g ? g->breaks : 0};
}

static atomic_bool traces; /* this process has called ptrace */

void wait_expect_stops(void)
{
    atomic_store(&traces, true);
}

static int64_t longer(int64_t time, int64_t longest)
{
    return time * 2 > longest ? longest : time * 2;
}

static long wait_readable(int fd, deadline_t deadline)
{
    struct fd *slot = fd_slot(fd);
    unsigned seq = atomic_load(&slot->seq[FD_READ]);
    return fd_ready(fd, POLLIN) ? 0 : fd_wait(slot, fd, FD_READ, seq, deadline);
}

/* Waits until the child has ended, or the deadline. Closed before any handler runs: it may leave by siglongjmp. */
static long wait_pidfd(pid_t pid, deadline_t deadline)
{
    struct green *g = self();
    critical_enter_as(g);
    long r = OWN_FDS_PASSING(private_fd((int)sys3(SYS_pidfd_open, pid, 0, 0)));
    if (r >= 0) {
        int fd = (int)r;
        r = wait_readable(fd, deadline);
        private_fd_close(fd);
    }
    return critical_leave_wait(g, r);
}

static long wait_a_while(int64_t *pause)
{
    static const atomic_uint nothing; /* never changes and nobody wakes it */
    long r = lot_park(&nothing, 0, deadline_after(*pause),
                      LOT_CANCEL | LOT_SIGNAL | LOT_RAISE | LOT_CHILD);
    *pause = longer(*pause, PAUSE_LONGEST);
    return r == -ETIMEDOUT ? 0 : r;
}

/* Something may have happened to the child, or to any if pid <= 0. */
static long wait_change(pid_t pid, bool ends_only, struct patience *p)
{
    if (pid <= 0 || !ends_only || p->polls || atomic_load_explicit(&traces, memory_order_relaxed))
        return interrupted(wait_a_while(&p->pause));
    long r = wait_pidfd(pid, deadline_after(p->look));
    if (r == -EINTR || r == -ECANCELED || r == -ERAISED)
        return interrupted(r);
    p->polls = r != -ETIMEDOUT;
    p->look = longer(p->look, LOOK_LONGEST);
    return 0;
}

/* No child has changed. A handler ends the call wherever it ran, but a child's end goes before the handler that it causes:
   the kernel looks again before it says EINTR. */
static long wait_next(pid_t pid, bool ends_only, struct patience *p)
{
    if (p->broken || self()->breaks != p->breaks)
        return -EINTR;
    long r = wait_change(pid, ends_only, p);
    p->broken = r == -EINTR;
    return p->broken ? 0 : r;
}

static pid_t look_now(pid_t pid, int *status, int options, struct rusage *usage)
{
    if (self())
        sched_tick();
    return REAL(wait4)(pid, status, options, usage);
}

pid_t evy_wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    struct patience p = patience();
    cancel_point();
    if (!self() || options & WNOHANG)
        return look_now(pid, status, options, usage);
    for (;;) {
        long r = or_errno(REAL(wait4)(pid, status, options | WNOHANG, usage));
        if (r == 0)
            r = wait_next(pid, !(options & (WUNTRACED | WCONTINUED)), &p);
        if (r != 0)
            return (pid_t)errno_edge(r);
    }
}

pid_t evy_waitpid(pid_t pid, int *status, int options)
{
    return evy_wait4(pid, status, options, NULL);
}

pid_t evy_wait(int *status)
{
    return evy_wait4(-1, status, 0, NULL);
}

pid_t evy_wait3(int *status, int options, struct rusage *usage)
{
    return evy_wait4(-1, status, options, usage);
}

/* A pidfd with O_NONBLOCK is not waited for. */
static bool never_waits(idtype_t type, id_t id)
{
    if ((int)type != P_PIDFD)
        return false;
    long status = sys_fcntl((int)id, F_GETFL, 0);
    return status >= 0 && status & O_NONBLOCK;
}

/* With WNOHANG, success with si_pid 0 means that nobody has changed yet. */
int evy_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    siginfo_t scratch, *out = info ? info : &scratch;
    struct patience p = patience();
    cancel_point();
    if (!self() || options & WNOHANG)
        return REAL(waitid)(type, id, info, options);
    for (;;) {
        out->si_pid = 0;
        long r = or_errno(REAL(waitid)(type, id, out, options | WNOHANG));
        if (r < 0 || out->si_pid != 0)
            return (int)errno_edge(r);
        if (never_waits(type, id))
            return (int)errno_edge(-EAGAIN);
        r = wait_next(type == P_PID ? (pid_t)id : -1, !(options & (WSTOPPED | WCONTINUED)), &p);
        if (r != 0)
            return (int)errno_edge(r);
    }
}
