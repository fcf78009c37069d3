/* SIGSEGV: a green thread that has used up its stack is named before the program's handler, or the default action,
   has its way. The kernel has chosen stack and mask as the program asked, and the context is the native one. */
#include "proc/sigstate.h"

#include "base/log.h"
#include "core/altstack.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "core/tcb.h"
#include "real/real.h"

#include <errno.h>

static bool on_guard(const struct green *g, const siginfo_t *info)
{
    uintptr_t at = (uintptr_t)info->si_addr - (uintptr_t)g->stack.map;
    return info->si_code > 0 && !(g->flags & GREEN_LOOP) && at < g->stack.guard;
}

static void tell(const struct green *g)
{
    log_error("green thread %d%s%s%s has used up its stack of %zu KiB", tcb_tid(g->thread),
              *g->name ? " (" : "", g->name, *g->name ? ")" : "", g->stack_user >> 10);
}

/* As if we were not there: the instruction is run again, or the signal sent again. */
static void leave_to_kernel(int sig, const siginfo_t *info)
{
    const struct sigaction act = {.sa_handler = SIG_DFL};
    REAL(sigaction)(sig, &act, NULL);
    if (info->si_code <= 0)
        signal_raise_kernel(sig);
}

/* For the return the kernel puts back the alternate stack it finds in uc: the carrier may be another one by then. */
static void call_on_green(struct green *g, const struct sigaction *act, int sig, siginfo_t *info,
                          ucontext_t *uc)
{
    const stack_t alt = g->alt;
    struct carrier *c = carrier_of_tid(sys_gettid());
    uc->uc_stack = alt.ss_size ? alt : (stack_t){.ss_flags = SS_DISABLE};
    if (alt.ss_flags & ALTSTACK_DISARMS && altstack_holds(&alt, (uintptr_t)&c)) {
        g->alt.ss_size = 0;
        if (c)
            c->alt = (stack_t){.ss_flags = SS_DISABLE};
    }
    act->sa_sigaction(sig, info, uc);
    g->alt = alt;
    c = carrier_of_tid(sys_gettid());
    if (c)
        uc->uc_stack = c->alt = altstack_for(c, g);
}

void on_fault(int sig, siginfo_t *info, void *context)
{
    struct green *g = self();
    struct sigaction act;
    int saved = errno;
    if (g && on_guard(g, info))
        tell(g);
    if (!action_of(sig, &act)) {
        leave_to_kernel(sig, info);
        return;
    }
    if (act.sa_flags & SA_RESETHAND)
        action_reset(sig);
    errno = saved;
    if (g && !(g->flags & GREEN_LOOP))
        call_on_green(g, &act, sig, info, context);
    else
        act.sa_sigaction(sig, info, context);
}
