#include "proc/signals.h"
#include "proc/sigstate.h"

#include "base/config.h"
#include "body/critical.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "core/sched.h"
#include "real/real.h"
#include "sigcontext.h"
#include "sync/cancel.h"
#include "sync/thread.h"

#include <errno.h>
#include <ucontext.h>
#include <unistd.h>

static void on_parking(struct green *g)
{
    frames_forget(g, (uintptr_t)__builtin_frame_address(0));
}

/* Runs one of the handlers that are due. False when there is none. */
static bool deliver_one(struct green *g, ucontext_t *uc, int *flags)
{
    siginfo_t info;
    atomic_fetch_and(&g->interrupted, ~(unsigned)INTERRUPT_SIGNAL);
    uint64_t due = sigqueue_for(g) & ~sig_mask(g);
    if (!due)
        return false;
    int sig = __builtin_ctzl(due) + 1;
    if (!sigqueue_take(g, sig, &info) && !sigqueue_take(NULL, sig, &info))
        return true;
    struct sigaction act;
    if (action_of(sig, &act)) {
        *flags &= run_handler(g, sig, &info, uc);
    } else {
        mask_release(sig);
        action_default(sig);
    }
    return true;
}

/* Ends the caller where it is: between any two instructions when uc tells that on_signal has interrupted it. */
static void cancel_here(const ucontext_t *uc)
{
    uint64_t mask = mask_here();
    if (uc)
        sys_sigmask(SIG_SETMASK, &mask);
    cancel_now();
}

static bool deliver(struct green *g, ucontext_t *uc)
{
    int flags = SA_RESTART, saved = errno;
    while (deliver_one(g, uc, &flags))
        ;
    errno = saved;
    if (unlikely(cancel_async_due(g)))
        cancel_here(uc);
    return flags & SA_RESTART;
}

bool signals_deliver(void)
{
    struct green *g = self();
    if (!g)
        return true;
    frames_forget(g, (uintptr_t)__builtin_frame_address(0));
    return deliver(g, NULL);
}

/* The monitor may have given g's hub away: then g goes after it, with the carrier's mask in order. */
void handlers_hold(struct green *g, const ucontext_t *uc)
{
    owned_add(&g->critical, 1);
    atomic_signal_fence(memory_order_seq_cst);
    if (unlikely(atomic_load_explicit(&g->stranded, memory_order_relaxed))) {
        uint64_t mask = mask_here();
        sys_sigmask(SIG_SETMASK, &mask);
        carrier_rejoin(g);
    }
    frames_forget(g, sigcontext_sp(uc));
}

void handlers_release(struct green *g, ucontext_t *uc)
{
    if (g->critical == 1 && unlikely(atomic_load(&g->interrupted) & INTERRUPT_SIGNAL))
        deliver(g, uc); /* came in between */
    uc->uc_stack = g->hub->carrier->alt;
    critical_leave_quietly(g);
}

static void on_due(void)
{
    signals_deliver();
}

/* The mark may be stale: another green thread has taken the signal, or it was blocked since. */
static bool really_due(struct green *g)
{
    atomic_fetch_and(&g->interrupted, ~(unsigned)INTERRUPT_SIGNAL);
    uint64_t pending = sigqueue_for(g);
    uint64_t waits = atomic_load_explicit(&g->sigwaits, memory_order_relaxed);
    if (!(pending & (~sig_mask(g) | waits)) && !cancel_async_due(g))
        return false;
    atomic_fetch_or(&g->interrupted, INTERRUPT_SIGNAL);
    return true;
}

static char poke_mark; /* its address says that a SIGURG is ours */

void signal_poke(int tid)
{
    actions_need_poke();
    siginfo_t info = {.si_signo = SIGURG, .si_code = SI_QUEUE};
    info.si_value.sival_ptr = &poke_mark;
    sys_call4(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGURG, (long)&info);
}

void signal_nudge(struct green *target)
{
    atomic_fetch_or(&target->interrupted, INTERRUPT_SIGNAL);
    sched_unpark_async(target);
    int tid = carrier_running(target);
    if (tid && tid != sys_gettid())
        signal_poke(tid); /* it may be in a loop of its own */
}

static bool is_poke(int sig, const siginfo_t *info)
{
    return sig == SIGURG && info->si_code == SI_QUEUE && info->si_value.sival_ptr == &poke_mark;
}

/* Sent by the kernel to its own caller. */
static bool own_doing(int sig, const siginfo_t *info)
{
    return SIG_CALLS & sig_bit(sig) && info->si_code == SI_USER && info->si_pid == getpid();
}

/* No kernel thread blocks them, whatever the program's block. */
#define UNBLOCKED (actions_wrapped_always() | SIG_FAULTS)

/* A thread that libevy does not run, or nobody is left but the forker: as if we were not there. But a spare carrier is
   none of the program's threads and hands on what was not meant for it. */
static void run_natively(int sig, siginfo_t *info, ucontext_t *uc)
{
    struct sigaction act;
    if (is_poke(sig, info))
        return;
    if (!action_of(sig, &act)) {
        action_default(sig);
        return;
    }
    if (hub_count && UNBLOCKED & sig_bit(sig) && info->si_code != SI_TKILL &&
        !own_doing(sig, info)) {
        mask_hold(sig);
        sigqueue_put(NULL, sig, info);
        mask_ask_chore();
        return;
    }
    call_natively(&act, sig, info, uc);
}

bool signal_accepts(struct green *g, int sig)
{
    return atomic_load(&g->takes_signals) && !(g->flags & GREEN_LOOP) &&
           !(sig_mask(g) & sig_bit(sig));
}

/* Who handles a signal for the process: main before others, as the kernel chooses. abort and raise inside libc
   mean the thread that runs, and so does what the kernel answers to its own call (SIGPIPE, SIGXFSZ), or says as its
   time passes (setitimer). */
static struct green *choose(struct green *g, int sig, const siginfo_t *info)
{
    bool own = info->si_code == SI_TKILL || sig == SIGPIPE || sig == SIGXFSZ ||
               (SIG_TICKS & sig_bit(sig) && info->si_code == SI_KERNEL);
    if (own && signal_accepts(g, sig))
        return g;
    if (signal_accepts(main_thread(), sig))
        return main_thread();
    return signal_accepts(g, sig) ? g : NULL;
}

/* The poke itself asks for restart, which is not what the program's handler or a cancellation wants. */
static void deliver_to_call(struct green *g, ucontext_t *uc)
{
    bool restart = deliver(g, uc);
    unsigned blocks = atomic_load(&g->blocks);
    if ((blocks >= BLOCKS_PLAIN && !restart) || (blocks == BLOCKS_POINT && cancel_due(g)))
        sigcontext_interrupt(uc);
}

/* g is where the signal arrived. free: in the program's code, now kept from leaving its carrier. */
static void dispatch(struct green *g, bool free, int sig, siginfo_t *info, ucontext_t *uc)
{
    struct sigaction act;
    if (is_poke(sig, info)) {
        if (free && atomic_load(&g->interrupted) & INTERRUPT_SIGNAL)
            deliver_to_call(g, uc);
        return;
    }
    bool own = own_doing(sig, info) && !(g->flags & GREEN_LOOP);
    struct green *target = own ? g : choose(g, sig, info);
    bool blocked = target && sig_mask(target) & sig_bit(sig);
    if (target && !blocked && !action_of(sig, &act)) {
        action_default(sig); /* one that is always wrapped */
    } else if (target == g && free && !blocked) {
        run_handler(g, sig, info, uc);
    } else {
        if (!own)
            mask_hold(sig);
        sigqueue_put(own ? g : NULL, sig, info);
        if (!target)
            mask_ask_chore();
        else if (!blocked)
            signal_nudge(target);
    }
}

/* From abort inside a section, which does not come back to leave it. */
static bool aborts(const struct green *g, int sig, const siginfo_t *info)
{
    return sig == SIGABRT && g->critical && info->si_code == SI_TKILL && info->si_pid == getpid();
}

/* The kernel's handler for every signal that the program handles. The kernel is to go back to the mask that
   holds now, on the carrier that runs g now. */
void on_signal(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    struct green *g = self();
    int saved = errno;
    if (!g || hub_count == 0 || unlikely(aborts(g, sig, info))) {
        run_natively(sig, info, uc);
        return;
    }
    bool free = !(g->flags & GREEN_LOOP) && g->critical == 0;
    if (free)
        handlers_hold(g, uc);
    dispatch(g, free, sig, info, uc);
    if (free)
        handlers_release(g, uc);
    uint64_t mask = mask_here();
    if (sig == SIGABRT)
        mask &= ~sig_bit(SIGABRT); /* abort has unblocked it and comes again */
    sig_set(&uc->uc_sigmask, mask);
    errno = saved;
}

void signals_start(void)
{
    if (!(config.patch & SUBSET_SIGNAL))
        return;
    mask_start();
    signal_hooks = (struct signal_hooks){really_due, on_due, on_parking, mask_chore};
    actions_take_over();
    mask_take_mains();
    if (sig_mask(self()) & sig_bit(SIGURG))
        mask_apply(); /* the kernel must let our pokes in */
}

void signals_forget(void)
{
    actions_give_back();
    sigqueue_clear();
    mask_forget();
}
