/* What the program wants done with each signal. While hubs run the kernel has our handler where the program
   has one of its own. */
#include "proc/signals.h"
#include "proc/sigstate.h"

#include "base/config.h"
#include "base/spin.h"
#include "body/critical.h"
#include "core/altstack.h"
#include "core/hub.h"
#include "io/io.h"
#include "real/real.h"

/* Read by on_signal without a lock, also when it has interrupted the writer: the version's lowest bit says
   which copy is valid. */
struct action {
    struct sigaction act[2]; /* what the program set; handler, mask and flags as it gave them */
    atomic_uint version;     /* grows with each change */
};

static struct action actions[SIGNALS + 1];
static _Atomic uint64_t known;        /* actions[] is valid: the program's action was seen */
static _Atomic uint64_t wrapped;      /* the kernel has on_signal for it */
static _Atomic uint64_t interrupting; /* siginterrupt: signal() sets no SA_RESTART */
static atomic_bool poke;              /* SIGURG is always wrapped */
static struct spin lock;              /* one writer at a time; nests inside nothing */

static void read_action(int sig, struct sigaction *act)
{
    struct action *a = &actions[sig];
    unsigned version;
    do {
        version = atomic_load_explicit(&a->version, memory_order_acquire);
        *act = a->act[version & 1];
        atomic_thread_fence(memory_order_acquire);
    } while (atomic_load_explicit(&a->version, memory_order_relaxed) != version);
}

static void write_action(int sig, const struct sigaction *act)
{
    struct action *a = &actions[sig];
    unsigned version = atomic_load_explicit(&a->version, memory_order_relaxed);
    a->act[(version + 1) & 1] = *act;
    atomic_store_explicit(&a->version, version + 1, memory_order_release);
    atomic_fetch_or(&known, sig_bit(sig));
}

static bool is_handler(const struct sigaction *act)
{
    return act->sa_handler != SIG_DFL && act->sa_handler != SIG_IGN;
}

bool action_of(int sig, struct sigaction *act)
{
    if (!(atomic_load(&known) & sig_bit(sig)))
        return false;
    read_action(sig, act);
    return is_handler(act);
}

uint64_t actions_wrapped_always(void)
{
    return SIG_CALLS | SIG_TICKS | (atomic_load(&poke) ? sig_bit(SIGURG) : 0);
}

/* A SIGSEGV that the program leaves to the kernel passes a look at guard pages. */
static int install_fault(int sig, const struct sigaction *act)
{
    struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    ours.sa_flags |= is_handler(act) ? act->sa_flags & (SA_ONSTACK | SA_RESTART) : SA_ONSTACK;
    bool wrap = is_handler(act) || (act->sa_handler == SIG_DFL && sig == SIGSEGV);
    sig_set(&ours.sa_mask, ~SIG_FAULTS);
    atomic_fetch_or(&wrapped, sig_bit(sig));
    return REAL(sigaction)(sig, wrap ? &ours : act, NULL);
}

/* The masks are emulated: ours runs with all blocked and lets in what may come when it calls the program's. */
static int install(int sig, const struct sigaction *act)
{
    if (SIG_FAULTS & sig_bit(sig))
        return install_fault(sig, act);
    struct sigaction ours = {.sa_sigaction = on_signal};
    bool wrap =
        is_handler(act) || (act->sa_handler == SIG_DFL && actions_wrapped_always() & sig_bit(sig));
    int keep = SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT;
    sig_set(&ours.sa_mask, ~SIG_FAULTS);
    ours.sa_flags = SA_SIGINFO | (is_handler(act) ? act->sa_flags & keep : SA_RESTART);
    if (wrap)
        atomic_fetch_or(&wrapped, sig_bit(sig));
    else
        atomic_fetch_and(&wrapped, ~sig_bit(sig));
    return REAL(sigaction)(sig, wrap ? &ours : act, NULL);
}

void action_reset(int sig)
{
    struct sigaction act;
    read_action(sig, &act); /* flags and mask stay */
    act.sa_handler = SIG_DFL;
    write_action(sig, &act);
    install(sig, &act);
}

void action_default(int sig)
{
    struct sigaction act;
    if (sig == SIGURG || REAL(sigaction)(sig, NULL, &act) || act.sa_handler == SIG_IGN)
        return;
    if (act.sa_sigaction == on_signal || act.sa_sigaction == on_fault) {
        act = (struct sigaction){.sa_handler = SIG_DFL};
        REAL(sigaction)(sig, &act, NULL);
    }
    signal_raise_kernel(sig);
}

/* Our handler reads what is written here and must not wait for the lock: no signal comes in between. */
static uint64_t begin(void)
{
    uint64_t all = ~SIG_FAULTS;
    critical_enter();
    uint64_t old = sys_sigmask(SIG_SETMASK, &all);
    spin_lock(&lock);
    return old;
}

static void end(uint64_t old)
{
    spin_unlock(&lock);
    sys_sigmask(SIG_SETMASK, &old);
    critical_leave();
}

static int old_action(int sig, struct sigaction *old)
{
    if (!(atomic_load(&known) & sig_bit(sig)))
        return REAL(sigaction)(sig, NULL, old);
    read_action(sig, old);
    return 0;
}

static int set_action(int sig, const struct sigaction *act, struct sigaction *old)
{
    struct sigaction before;
    uint64_t mask = begin();
    int r = old_action(sig, &before);
    if (r == 0 && act) {
        write_action(sig, act);
        r = install(sig, act);
        if (r)
            write_action(sig, &before);
    }
    end(mask);
    if (r == 0 && old)
        *old = before;
    return r;
}

static void mind_stacks(int sig, const struct sigaction *act)
{
    if (SIG_FAULTS & sig_bit(sig) && is_handler(act) && act->sa_flags & SA_ONSTACK)
        altstack_lend_none();
}

/* In the child of a vfork, whose handlers in the kernel are its own; what is known of them is its parent's. */
static int set_vforked(int sig, const struct sigaction *act, struct sigaction *old)
{
    struct sigaction before;
    if (REAL(sigaction)(sig, act, &before))
        return -1;
    if (before.sa_sigaction == on_signal || before.sa_sigaction == on_fault)
        read_action(sig, &before);
    if (old)
        *old = before;
    return 0;
}

int evy_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
    if (hub_count == 0 || !sig_valid(sig) || SIG_FIXED & sig_bit(sig))
        return REAL(sigaction)(sig, act, old);
    if (unlikely(vforked_green != NULL))
        return set_vforked(sig, act, old);
    if (act)
        mind_stacks(sig, act);
    struct sigaction copy;
    if (act)
        copy = *act; /* old may be the same memory; a bad address faults before any lock */
    if (act && copy.sa_handler == SIG_IGN && !(sig_bit(sig) & ~sigqueue_pending(NULL))) {
        siginfo_t info;
        sigqueue_take(NULL, sig, &info); /* ignoring discards what is pending */
    }
    int r = set_action(sig, act ? &copy : NULL, old);
    if (act)
        mask_release(sig); /* what was held with those discarded goes the same way */
    return r;
}

sighandler_t evy_signal(int sig, sighandler_t handler)
{
    if (hub_count == 0)
        return REAL(signal)(sig, handler);
    struct sigaction act = {.sa_handler = handler}, old;
    bool restart = sig_valid(sig) && !(atomic_load(&interrupting) & sig_bit(sig));
    act.sa_flags = restart ? SA_RESTART : 0;
    sigaddset(&act.sa_mask, sig);
    return evy_sigaction(sig, &act, &old) ? SIG_ERR : old.sa_handler;
}

int evy_siginterrupt(int sig, int flag)
{
    struct sigaction act;
    if (evy_sigaction(sig, NULL, &act))
        return -1;
    if (flag)
        atomic_fetch_or(&interrupting, sig_bit(sig));
    else
        atomic_fetch_and(&interrupting, ~sig_bit(sig));
    act.sa_flags = flag ? act.sa_flags & ~SA_RESTART : act.sa_flags | SA_RESTART;
    return evy_sigaction(sig, &act, NULL);
}

void actions_take_over(void)
{
    const uint64_t always = SIG_CALLS | SIG_TICKS | sig_bit(SIGSEGV);
    for (int sig = 1; sig <= SIGNALS; sig++) {
        struct sigaction act;
        if (!sig_valid(sig) || SIG_FIXED & sig_bit(sig) || REAL(sigaction)(sig, NULL, &act))
            continue;
        mind_stacks(sig, &act);
        if (!is_handler(&act) && !(always & sig_bit(sig)))
            continue;
        write_action(sig, &act);
        install(sig, &act);
    }
}

void actions_give_back(void)
{
    atomic_store(&poke, false);
    for (int sig = 1; sig <= SIGNALS; sig++) {
        struct sigaction act;
        if (!(atomic_load(&wrapped) & sig_bit(sig)))
            continue;
        if (atomic_load(&known) & sig_bit(sig))
            read_action(sig, &act);
        else
            act = (struct sigaction){.sa_handler = SIG_DFL};
        REAL(sigaction)(sig, &act, NULL);
    }
    atomic_store(&wrapped, 0);
    atomic_store(&known, 0);
    lock = (struct spin){0};
}

void actions_need_poke(void)
{
    struct sigaction act;
    if (atomic_exchange(&poke, true))
        return;
    uint64_t mask = begin();
    if (old_action(SIGURG, &act) == 0) {
        write_action(SIGURG, &act);
        install(SIGURG, &act);
    }
    end(mask);
}
