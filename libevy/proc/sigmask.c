/* Signal masks: each green thread's own, and what follows from them for the kernel. What every green thread
   blocks is blocked on the main kernel thread, which is the one that takes signals for the process, so that it stays
   pending in the kernel, where signalfd and sigwait expect it. */
#include "proc/signals.h"
#include "proc/sigstate.h"

#include "base/config.h"
#include "base/spin.h"
#include "body/critical.h"
#include "core/hub.h"
#include "real/real.h"

#include <errno.h>
#include <unistd.h>

static struct spin lock; /* protects common and waiters; nests around bodies_lock (green.c) */
static _Atomic uint64_t common; /* blocked by all; each live green thread's mask contains it */
static _Atomic uint64_t waited; /* somebody is in sigwait for them: the kernel has to keep them */
static _Atomic uint64_t shown;  /* named by a signalfd, now or once: see mask_show */
static unsigned waiters[SIGNALS + 1]; /* green threads in sigwait for each */
static _Atomic uint64_t
    held; /* have come again before who handles them began: the kernel keeps them until then */

/* Other carriers take no signals but those that their own code causes and our poke. */
#define CARRIER_MASK (~(SIG_FAULTS | SIG_CALLS | SIG_TICKS | SIG_FIXED | sig_bit(SIGURG)))

bool on_main_thread(void)
{
    return sys_gettid() == getpid();
}

/* A probe of a bad address (arch/probe.h) causes SIGSEGV, which the kernel must let in. */
uint64_t mask_here(void)
{
    if (!on_main_thread())
        return CARRIER_MASK;
    return (atomic_load(&common) | atomic_load(&waited) | atomic_load(&held)) &
           ~(actions_wrapped_always() | sig_bit(SIGSEGV));
}

void mask_ask_chore(void)
{
    atomic_store(&hubs[0].chore, 1);
    hub_kick(&hubs[0]);
}

/* Only the main kernel thread can change its mask: when it returns from the poke it has the one that holds.
   Signals let in arrive before this returns, or when the outermost critical section is left. */
void mask_apply(void)
{
    if (atomic_load(&common) & sig_bit(SIGURG))
        actions_need_poke(); /* or none would get through */
    critical_enter();
    if (on_main_thread()) {
        uint64_t mask = mask_here();
        sys_sigmask(SIG_SETMASK, &mask);
    } else {
        signal_poke(getpid());
    }
    critical_leave();
}

void mask_hold(int sig)
{
    if (sigqueue_pending(NULL) & sig_bit(sig))
        atomic_fetch_or(&held, sig_bit(sig));
}

void mask_release(int sig)
{
    if (likely(!(atomic_load(&held) & sig_bit(sig))) || sigqueue_pending(NULL) & sig_bit(sig))
        return;
    atomic_fetch_and(&held, ~sig_bit(sig));
    mask_apply();
}

static bool narrow(struct green *g, void *arg)
{
    uint64_t *set = arg;
    if (atomic_load_explicit(&g->takes_signals, memory_order_relaxed))
        *set &= sig_mask(g);
    return *set & ~atomic_load_explicit(&common, memory_order_relaxed);
}

/* Adds to common what is in candidates and blocked by all. The lock is held. */
static void widen(uint64_t candidates)
{
    if (narrow(main_thread(), &candidates))
        green_each(narrow, &candidates);
    atomic_fetch_or(&common, candidates);
}

void mask_set(struct green *g, uint64_t mask)
{
    mask &= ~SIG_FIXED;
    uint64_t old = sig_mask(g);
    if (mask == old)
        return;
    critical_enter();
    spin_lock(&lock);
    uint64_t before = atomic_load(&common);
    atomic_store_explicit(&g->sigmask, mask, memory_order_relaxed);
    atomic_fetch_and(&common, mask);
    if (mask & ~old)
        widen(mask);
    bool changed = atomic_load(&common) != before;
    spin_unlock(&lock);
    critical_leave();
    if (changed)
        mask_apply();
}

void mask_waits(uint64_t set, int by)
{
    critical_enter();
    spin_lock(&lock);
    uint64_t now = 0;
    for (int sig = 1; sig <= SIGNALS; sig++) {
        if (set & sig_bit(sig))
            waiters[sig] += (unsigned)by;
        now |= waiters[sig] ? sig_bit(sig) : 0;
    }
    bool changed = atomic_exchange(&waited, now) != now;
    spin_unlock(&lock);
    critical_leave();
    if (changed)
        mask_apply();
}

/* On other carriers the kernel still holds what was sent to the process: at least one pending signal must be
   delivered before the call that unblocks it returns. */
void mask_fetch(uint64_t set)
{
    struct timespec zero = {0, 0};
    struct sigaction act;
    siginfo_t info;
    for (int sig = 1; sig <= SIGNALS; sig++)
        if (set & sig_bit(sig) && !action_of(sig, &act))
            set &= ~sig_bit(sig);
    int sig;
    while (set && (sig = (int)sys_call4(SYS_rt_sigtimedwait, (long)&set, (long)&info, (long)&zero,
                                        8)) > 0) {
        sigqueue_put(NULL, sig, &info);
        if (!sig_is_realtime(sig) || info.si_code == SI_TIMER)
            set &= ~sig_bit(sig); /* a timer may have fired again */
    }
}

void mask_settle(uint64_t unblocked)
{
    struct green *g = self();
    unblocked &= ~sig_mask(g);
    if (unblocked && !on_main_thread())
        mask_fetch(unblocked);
    if ((sigqueue_pending(g) | sigqueue_pending(NULL)) & ~sig_mask(g))
        signals_deliver();
}

/* A signalfd shows what the kernel has pending, which knows no green threads: what all block is the process's for it. */
bool mask_show(int sig, const siginfo_t *info)
{
    if (likely(!(atomic_load(&shown) & atomic_load(&common) & sig_bit(sig))))
        return false;
    long r = sys3(SYS_rt_sigqueueinfo, getpid(), sig, info);
    if (r == -EPERM) /* the main kernel thread alone may say SI_TKILL */
        r = sys3(SYS_kill, getpid(), sig, 0);
    return r == 0;
}

void mask_show_set(uint64_t set)
{
    struct green *g = self();
    siginfo_t info;
    atomic_fetch_or(&shown, set);
    if (likely(!g || !(sigqueue_pending(g) & set)))
        return;
    for (int sig = 1; sig <= SIGNALS; sig++)
        while (set & sig_bit(sig) & atomic_load(&common) && sigqueue_take(g, sig, &info))
            mask_show(sig, &info);
}

struct search {
    uint64_t pending;    /* signals that need somebody */
    struct green *found; /* takes one of them */
};

static bool takes_one(struct green *g, void *arg)
{
    struct search *s = arg;
    if (atomic_load(&g->takes_signals) && s->pending & (~sig_mask(g) | atomic_load(&g->sigwaits)))
        s->found = g;
    return !s->found;
}

void mask_chore(void)
{
    for (int sig = 1; sig <= SIGNALS; sig++) {
        struct search s = {.pending = sigqueue_pending(NULL) & sig_bit(sig)};
        if (s.pending && takes_one(main_thread(), &s))
            green_each(takes_one, &s);
        if (s.found)
            signal_nudge(s.found);
    }
}

#define LOOKS 100 /* so many at most: nobody may be there to take it */

/* Whether the kernel still keeps a signal that the main kernel thread does not block. */
static bool on_the_way(void)
{
    uint64_t pending = 0;
    sys_call4(SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0);
    return pending & ~(atomic_load(&common) | atomic_load(&waited));
}

void signals_let_in(void)
{
    if (!signal_hooks.chore)
        return;
    for (int i = 0; i < LOOKS && on_the_way(); i++)
        sys_yield();
    if (sigqueue_pending(NULL))
        mask_chore();
}

static bool gone(struct green *g, void *arg)
{
    (void)arg;
    atomic_store(&g->takes_signals, false);
    return true;
}

void mask_forget(void)
{
    lock = (struct spin){0};
    green_each(gone, NULL);
}

/* What the kernel keeps for main alone must not look like another green thread's on the same carrier. */
void mask_take_mains(void)
{
    struct timespec zero = {0, 0};
    uint64_t pending = 0;
    siginfo_t info;
    sys_call4(SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0);
    for (; unlikely(pending); pending &= pending - 1) {
        uint64_t bit = pending & -pending;
        int sig = (int)sys_call4(SYS_rt_sigtimedwait, (long)&bit, (long)&info, (long)&zero, 8);
        if (sig > 0 && info.si_code == SI_TKILL && !(atomic_load(&shown) & bit))
            sigqueue_put(main_thread(), sig, &info);
        else if (sig > 0)
            sys3(SYS_rt_sigqueueinfo, getpid(), sig, &info);
    }
}

void mask_start(void)
{
    struct green *g = self();
    uint64_t mask = sys_sigmask(SIG_BLOCK, NULL) & ~SIG_FIXED;
    memset(waiters, 0, sizeof waiters);
    atomic_store(&waited, 0);
    atomic_store(&held, 0);
    atomic_store(&common, mask);
    atomic_store(&g->sigmask, mask);
    atomic_store(&g->takes_signals, true);
}

void signals_inherit(struct green *child)
{
    const struct green *me = self();
    uint64_t mask = likely(me != NULL) ? sig_mask(me) : sys_sigmask(SIG_BLOCK, NULL) & ~SIG_FIXED;
    atomic_store_explicit(&child->sigmask, mask, memory_order_relaxed);
    atomic_store_explicit(&child->sigpending, 0, memory_order_relaxed);
    atomic_store_explicit(&child->sigwaits, 0, memory_order_relaxed);
    atomic_store_explicit(&child->takes_signals, true, memory_order_release);
}

void signals_start_with(struct green *child, const sigset_t *mask)
{
    if (config.patch & SUBSET_SIGNAL)
        mask_set(child, sig_word(mask));
}

static EVY_COLD void leave_common(struct green *dying)
{
    critical_enter();
    spin_lock(&lock);
    uint64_t before = atomic_load(&common);
    widen(~sig_mask(dying) & ~SIG_FIXED);
    bool changed = atomic_load(&common) != before;
    spin_unlock(&lock);
    critical_leave();
    if (changed)
        mask_apply();
}

void signals_last_chance(struct green *g)
{
    if (unlikely(atomic_load_explicit(&g->interrupted, memory_order_relaxed) & INTERRUPT_SIGNAL))
        signals_deliver();
}

void signals_retire(struct green *dying)
{
    atomic_store_explicit(&dying->takes_signals, false, memory_order_release);
    const struct green *m = &main_green;
    if (unlikely(sigqueue_pending(dying) != 0))
        sigqueue_drop(dying);
    if (unlikely(sigqueue_pending(NULL) != 0))
        mask_ask_chore(); /* it may have been nudged for one of them */
    if (unlikely(dying == m || sig_mask(m) & ~sig_mask(dying)))
        leave_common(dying);
}
