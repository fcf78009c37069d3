/* Calling a handler of the program's, on its alternate stack where it asks for that. The kernel would do so for a
   handler that runs at once, but not for one that was put off: both are done here. */
#include "proc/sigstate.h"

#include "core/altstack.h"
#include "core/critical.h"

struct call {
    const struct sigaction *act;
    int sig;
    siginfo_t *info;
    ucontext_t *uc;
};

static void call(void *arg)
{
    const struct call *c = arg;
    c->act->sa_sigaction(c->sig, c->info,
                         c->uc); /* three arguments for every handler, as the kernel does */
}

static bool changes_stack(const struct green *g, const struct sigaction *act, uintptr_t here)
{
    return act->sa_flags & SA_ONSTACK && g->alt.ss_size && !altstack_holds(&g->alt, here);
}

static char *top_of(const stack_t *alt)
{
    return (char *)alt->ss_sp + alt->ss_size;
}

uintptr_t handler_place(const struct green *g, const struct sigaction *act, uintptr_t here)
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

void call_handler(struct green *g, const struct sigaction *act, int sig, siginfo_t *info,
                  ucontext_t *uc)
{
    struct call c = {.act = act, .sig = sig, .info = info, .uc = uc};
    const stack_t alt = g->alt, none = {.ss_size = 0};
    ucontext_t own;
    if (!uc && act->sa_flags & SA_SIGINFO) {
        getcontext(&own);
        own.uc_stack = alt;
        c.uc = &own;
    }
    if (changes_stack(g, act, (uintptr_t)__builtin_frame_address(0))) {
        if (alt.ss_flags & ALTSTACK_DISARMS)
            set_altstack(g, &none);
        call_on(top_of(&alt), call, &c);
    } else {
        call(&c);
    }
    set_altstack(g, &alt);
}
