/* Faults: the program's handler runs at once, on the stack that the kernel has chosen as the program asked, and the
   context is the native one. A green thread that has used up its stack is named before. */
#include "proc/sigstate.h"

#include "arch/probe.h"
#include "base/log.h"
#include "body/tcb.h"
#include "core/altstack.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "real/real.h"
#include "sigcontext.h"

#include <errno.h>

static bool on_guard(const struct green *g, int sig, const siginfo_t *info)
{
    uintptr_t at = (uintptr_t)info->si_addr - (uintptr_t)g->stack.map;
    return sig == SIGSEGV && info->si_code > 0 && !(g->flags & GREEN_LOOP) && at < g->stack.guard;
}

static void tell(const struct green *g)
{
    log_error("green thread %d%s%s%s has used up its stack of %zu KiB", tcb_tid(g->thread),
              *g->name ? " (" : "", g->name, *g->name ? ")" : "", g->stack_user >> 10);
}

/* As if we were not there: the instruction is run again. */
static void leave_to_kernel(int sig)
{
    const struct sigaction act = {.sa_handler = SIG_DFL};
    REAL(sigaction)(sig, &act, NULL);
}

/* Like any handler's: the mask is g's own, the kernel has the carrier's, whoever runs there while the handler waits. What
   the kernel has disarmed is armed again, as we believe it to be, until call_handler does the same to g. */
static void run_on_green(struct green *g, int sig, siginfo_t *info, ucontext_t *uc)
{
    const stack_t alt = g->alt;
    if (alt.ss_flags & ALTSTACK_DISARMS && altstack_holds(&alt, (uintptr_t)&alt))
        sys3(SYS_sigaltstack, &alt, 0, 0);
    handlers_hold(g, uc);
    uc->uc_stack = alt.ss_size ? alt : (stack_t){.ss_flags = SS_DISABLE};
    if (sig_mask(g) & sig_bit(sig))
        leave_to_kernel(sig); /* natively the kernel ends a process that blocks its fault */
    else
        run_handler(g, sig, info, uc);
    handlers_release(g, uc);
    sig_set(&uc->uc_sigmask, mask_here());
}

static bool repaired(const siginfo_t *info, ucontext_t *uc)
{
    uintptr_t pc = info->si_code > 0 ? probe_repair(sigcontext_pc(uc)) : 0;
    if (pc)
        sigcontext_set_pc(uc, pc);
    return pc != 0;
}

void on_fault(int sig, siginfo_t *info, void *context)
{
    struct green *g = self();
    struct sigaction act;
    int saved = errno;
    if (unlikely(repaired(info, context)))
        return;
    if (info->si_code <= 0) { /* sent, no fault */
        on_signal(sig, info, context);
        return;
    }
    if (g && on_guard(g, sig, info))
        tell(g);
    if (!action_of(sig, &act))
        leave_to_kernel(sig);
    else if (g && hub_count && !(g->flags & GREEN_LOOP))
        run_on_green(g, sig, info, context);
    else
        call_natively(&act, sig, info, context);
    errno = saved;
}
