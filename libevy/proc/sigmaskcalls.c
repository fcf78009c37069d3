/* The calls that change or tell the running green thread's mask. */
#include "proc/signals.h"
#include "proc/sigstate.h"

#include "arch/probe.h"
#include "base/config.h"
#include "body/critical.h"
#include "core/hub.h"
#include "io/io.h"
#include "real/real.h"

#include <errno.h>

static bool combine(int how, uint64_t set, uint64_t *mask)
{
    if (how == SIG_BLOCK)
        *mask |= set;
    else if (how == SIG_UNBLOCK)
        *mask &= ~set;
    else if (how == SIG_SETMASK)
        *mask = set;
    else
        return false;
    return true;
}

int evy_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    struct green *g = self();
    if (!g)
        return REAL(pthread_sigmask)(how, set, old);
    uint64_t before = sig_mask(g), mask = before;
    if (set && !combine(how, sig_word(set), &mask))
        return EINVAL;
    if (old)
        sig_set(old, before);
    mask_set(g, mask);
    if (before & ~mask)
        mask_settle(before & ~mask);
    return 0;
}

int evy_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    int err = evy_pthread_sigmask(how, set, old);
    if (err > 0)
        errno = err;
    return err ? -1 : 0;
}

int evy_sigpending(sigset_t *set)
{
    const struct green *g = self();
    uint64_t pending = 0;
    if (!probe(set, sizeof pending))
        return (int)errno_edge(-EFAULT);
    sys_call4(SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0);
    if (g)
        pending = (pending | sigqueue_pending(g) | sigqueue_pending(NULL)) & sig_mask(g);
    sig_set(set, pending);
    return 0;
}

int evy_signalfd(int fd, const sigset_t *set, int flags)
{
    int r = REAL(signalfd)(fd, set, flags);
    if (r >= 0)
        mask_show_set(sig_word(set));
    return r;
}

/* Until the restoring this green thread is in one critical section: a signal that the new mask lets in ends the
   wait instead of running its handler just before. */
void signals_swap_mask(struct signal_mask_swap *swap, const sigset_t *mask)
{
    struct green *g = self();
    swap->swapped = mask && g && config.patch & SUBSET_SIGNAL;
    if (!swap->swapped)
        return;
    uint64_t before = sig_mask(g);
    sig_set(&swap->old, before);
    critical_enter_as(g);
    mask_set(g, sig_word(mask));
    if (before & ~sig_mask(g) && !on_main_thread())
        mask_fetch(before & ~sig_mask(g));
    if ((sigqueue_pending(g) | sigqueue_pending(NULL)) & ~sig_mask(g))
        atomic_fetch_or(&g->interrupted, INTERRUPT_SIGNAL);
}

void signals_restore_mask(struct signal_mask_swap *swap)
{
    struct green *g = self();
    if (!swap->swapped)
        return;
    uint64_t before = sig_mask(g);
    mask_set(g, sig_word(&swap->old));
    critical_leave_as(g);
    mask_settle(before & ~sig_mask(g));
}

void signals_lend_mask(void)
{
    struct green *g = self();
    if (!g || !(config.patch & SUBSET_SIGNAL))
        return;
    uint64_t mask = sig_mask(g);
    sys_sigmask(SIG_SETMASK, &mask);
}

void signals_take_back_mask(void)
{
    struct green *g = self();
    if (!g || !(config.patch & SUBSET_SIGNAL))
        return;
    uint64_t mask = mask_here();
    sys_sigmask(SIG_SETMASK, &mask);
}
