/* Calling a handler of the program's, on its alternate stack where it asks for that. The kernel would do so for a
   handler that runs at once, but not for one that was put off: both are done here. */
#include "proc/sigstate.h"

#include "body/critical.h"
#include "core/altstack.h"

struct call {
    const struct sigaction *act;
    int sig;
    siginfo_t *info;
    ucontext_t *uc;
    struct green *g;
    unsigned critical; /* for the handler */
    bool blocks;       /* the kernel blocks everything now */
};

/* Others may come from here on, and no longer once the handler has returned: before and after it g is not yet, or no more,
   on the stack that its frame tells. */
static void call(void *arg)
{
    const struct call *c = arg;
    unsigned held = c->g->critical;
    owned_set(&c->g->critical, c->critical);
    atomic_signal_fence(memory_order_seq_cst);
    if (c->blocks) {
        uint64_t kernel = mask_here();
        sys_sigmask(SIG_SETMASK, &kernel);
    }
    mask_release(c->sig);
    c->act->sa_sigaction(c->sig, c->info,
                         c->uc); /* three arguments for every handler, as the kernel does */
    atomic_signal_fence(memory_order_seq_cst);
    owned_set(&c->g->critical, held);
}

static uint64_t blocked_by(const struct sigaction *act, int sig)
{
    return sig_word(&act->sa_mask) | (act->sa_flags & SA_NODEFER ? 0 : sig_bit(sig));
}

static bool changes_stack(const struct green *g, const struct sigaction *act, uintptr_t here)
{
    return act->sa_flags & SA_ONSTACK && g->alt.ss_size && !altstack_holds(&g->alt, here);
}

static char *top_of(const stack_t *alt)
{
    return (char *)alt->ss_sp + alt->ss_size;
}

/* Where on g's stacks its next handler for act begins, the caller standing at `here`. */
static uintptr_t handler_place(const struct green *g, const struct sigaction *act, uintptr_t here)
{
    return changes_stack(g, act, here) ? (uintptr_t)top_of(&g->alt) - 1 : here;
}

static void set_altstack(struct green *g, const stack_t *alt)
{
    if (likely(g->alt.ss_sp == alt->ss_sp && g->alt.ss_size == alt->ss_size))
        return;
    critical_enter_as(g);
    g->alt = *alt;
    altstack_follow(g);
    critical_leave_quietly(g);
}

/* The kernel's contexts have room for so many signals, libc's set is longer. */
static void show_mask(ucontext_t *uc, uint64_t mask)
{
    memcpy(&uc->uc_sigmask, &mask, sizeof mask);
}

/* Returns the mask to go back to: the handler finds it in its context and may change it there. After it g has the alternate
   stack that it had before, too, as the kernel's return from a signal does. */
static uint64_t call_handler(struct call c, uint64_t mask)
{
    struct green *g = c.g;
    const struct sigaction *act = c.act;
    const stack_t alt = g->alt, none = {.ss_size = 0};
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    bool changes = changes_stack(g, act, here);
    ucontext_t own;
    if (!c.uc && act->sa_flags & SA_SIGINFO) {
        getcontext(&own);
        own.uc_stack = alt;
        c.uc = &own;
    }
    if (c.uc)
        show_mask(c.uc, mask);
    if (alt.ss_flags & ALTSTACK_DISARMS && (changes || altstack_holds(&alt, here)))
        set_altstack(g, &none);
    if (changes) {
        call_on(top_of(&alt), call, &c);
    } else {
        call(&c);
    }
    set_altstack(g, &alt);
    return c.uc ? sig_word(&c.uc->uc_sigmask) & ~SIG_FIXED : mask;
}

int run_handler(struct green *g, int sig, siginfo_t *info, ucontext_t *uc)
{
    struct sigaction act;
    if (!action_of(sig, &act))
        return SA_RESTART;
    if (act.sa_flags & SA_RESETHAND)
        action_reset(sig);
    struct call c = {&act, sig, info, uc, g, .critical = uc ? g->critical - 1 : 0, .blocks = uc};
    if (!uc)
        critical_enter_as(g);
    uint64_t mask = sig_mask(g);
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    struct handler_frame *f = frame_push(g, handler_place(g, &act, here));
    atomic_store_explicit(&g->sigmask, mask | (blocked_by(&act, sig) & ~SIG_FIXED),
                          memory_order_relaxed);
    g->handled++;
    unsigned breaks = g->breaks += !(act.sa_flags & SA_RESTART);
    mask = call_handler(c, mask);
    g->breaks = breaks; /* handlers inside of it ended its own waits, not those around it */
    if (f)
        frame_pop(g, f);
    go_back_to_mask(g, mask);
    if (!uc)
        critical_leave_quietly(g);
    if (unlikely(sigqueue_for(g) & ~mask)) /* came while the handler's mask was on */
        atomic_fetch_or(&g->interrupted, INTERRUPT_SIGNAL);
    return act.sa_flags;
}

void call_natively(const struct sigaction *act, int sig, siginfo_t *info, ucontext_t *uc)
{
    if (act->sa_flags & SA_RESETHAND)
        action_reset(sig);
    uint64_t set = blocked_by(act, sig) | sig_word(&uc->uc_sigmask);
    sys_sigmask(SIG_SETMASK, &set); /* the return from the signal puts it back */
    act->sa_sigaction(sig, info, uc);
}
