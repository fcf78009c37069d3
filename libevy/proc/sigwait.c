/* Waiting for signals: sigwait and its like take a blocked signal, sigsuspend and pause wait for a handler. */
#include "proc/signals.h"
#include "proc/sigstate.h"

#include "arch/probe.h"
#include "base/clock.h"
#include "body/critical.h"
#include "core/hub.h"
#include "core/lot.h"
#include "core/own_fd.h"
#include "io/io.h"
#include "io/watch.h"
#include "proc/private_fd.h"
#include "real/real.h"
#include "sync/cancel.h"

#include <sys/signalfd.h>

static int take_sent(struct green *g, uint64_t set, siginfo_t *info)
{
    uint64_t pending = set & (sigqueue_pending(g) | sigqueue_pending(NULL));
    for (; pending; pending &= pending - 1) {
        int sig = __builtin_ctzl(pending) + 1;
        if (sigqueue_take(g, sig, info))
            return sig;
        if (sigqueue_take(NULL, sig, info)) {
            mask_release(sig);
            return sig;
        }
    }
    return 0;
}

/* What the kernel keeps for the process: any of its threads may take it. 0: nothing, -EFAULT: taken, but not to be told. */
static int take_kernels(uint64_t set, siginfo_t *info)
{
    struct timespec zero = {0, 0};
    long sig = sys_call4(SYS_rt_sigtimedwait, (long)&set, (long)info, (long)&zero, sizeof set);
    return sig > 0 || sig == -EFAULT ? (int)sig : 0;
}

static int take(struct green *g, uint64_t set, siginfo_t *info)
{
    int sig = take_sent(g, set, info);
    return sig ? sig : take_kernels(set, info);
}

/* The descriptor becomes readable when the kernel has one, and is marked (signal_nudge) when a green thread sends one. */
static long wait_for(struct green *g, uint64_t set, siginfo_t *info, deadline_t deadline)
{
    int fd = OWN_FDS_PASSING(private_fd(
        (int)sys_call4(SYS_signalfd4, -1, (long)&set, sizeof set, SFD_NONBLOCK | SFD_CLOEXEC)));
    if (fd < 0)
        return fd;
    long r = 0;
    while (r == 0) {
        struct fd *slot = fd_slot(fd);
        unsigned seq = atomic_load(&slot->seq[FD_READ]);
        r = take(g, set, info);
        if (r != 0)
            break;
        r = fd_wait(slot, fd, FD_READ, seq, deadline);
    }
    private_fd_close(fd);
    return r;
}

/* Nothing is open or announced any more when a handler runs: it may leave by siglongjmp. */
static long wait_section(uint64_t set, siginfo_t *info, deadline_t deadline)
{
    struct green *g = self();
    critical_enter_as(g);
    mask_waits(set, 1);
    atomic_store(&g->sigwaits, set);
    long r = wait_for(g, set, info, deadline);
    atomic_store(&g->sigwaits, 0);
    mask_waits(set, -1);
    return critical_leave_wait(g, r);
}

/* A wait that handlers of others' signals have ended begins again. */
static long wait_here(uint64_t set, siginfo_t *info, deadline_t deadline)
{
    struct green *g = self();
    unsigned before = g->handled;
    long r = take(g, set, info);
    while (r == 0) {
        r = wait_section(set, info, deadline);
        if (r == -EINTR) {
            signals_deliver();
            r = g->handled == before ? take(g, set, info) : -EINTR;
        }
    }
    return r;
}

static long sigwait_until(const sigset_t *set, siginfo_t *info, deadline_t deadline)
{
    siginfo_t scratch;
    cancel_point();
    long r = wait_here(sig_word(set) & ~SIG_FIXED, info ? info : &scratch, deadline);
    if (r == -ECANCELED)
        cancel_now();
    return r == -ETIMEDOUT ? -EAGAIN : r;
}

int evy_rt_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    deadline_t deadline;
    if (deadline_from_rel(timeout, &deadline))
        return (int)errno_edge(-EINVAL);
    return (int)errno_edge(sigwait_until(set, info, deadline));
}

/* libc tells nobody that a signal was for one thread (sysdeps/unix/sysv/linux/sigtimedwait.c). */
int evy_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    if (!self())
        return REAL(sigtimedwait)(set, info, timeout);
    int sig = evy_rt_sigtimedwait(set, info, timeout);
    if (sig > 0 && info && info->si_code == SI_TKILL)
        info->si_code = SI_USER;
    return sig;
}

int evy_sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    return evy_sigtimedwait(set, info, NULL);
}

int evy_sigwait(const sigset_t *set, int *sig)
{
    long r;
    if (!self())
        return REAL(sigwait)(set, sig);
    while ((r = sigwait_until(set, NULL, DEADLINE_NEVER)) == -EINTR)
        ;
    if (r > 0)
        *sig = (int)r;
    return r > 0 ? 0 : (int)-r;
}

/* Waits until a handler has run on g. In a critical section, so that none can run between the look and the
   wait. */
static long wait_for_handler(struct green *g)
{
    static const atomic_uint nothing; /* never changes and nobody wakes it */
    unsigned before = g->handled;
    long r = 0;
    while (g->handled == before && r != -ECANCELED) {
        r = lot_park(&nothing, 0, DEADLINE_NEVER, LOT_CANCEL | LOT_SIGNAL | LOT_SIGWAIT);
        if (r == -EINTR)
            signals_deliver();
    }
    return r;
}

static int suspend(const sigset_t *mask)
{
    struct green *g = self();
    struct signal_mask_swap swap;
    cancel_point();
    critical_enter_as(g);
    signals_swap_mask(&swap, mask);
    long r = wait_for_handler(g);
    if (r == -ECANCELED)
        cancel_now(); /* as natively, with the mask of the wait */
    signals_restore_mask(&swap);
    critical_leave_as(g);
    return (int)errno_edge(-EINTR);
}

int evy_sigsuspend(const sigset_t *mask)
{
    return self() && probe(mask, sizeof(uint64_t)) ? suspend(mask) : REAL(sigsuspend)(mask);
}

int evy_pause(void)
{
    return self() ? suspend(NULL) : REAL(pause)();
}
