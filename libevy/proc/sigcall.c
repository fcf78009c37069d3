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
    struct context back;  /* of who called */
    struct context there; /* of the handler on its own stack */
};

static void call(const struct call *c)
{
    c->act->sa_sigaction(c->sig, c->info,
                         c->uc); /* three arguments for every handler, as the kernel does */
}

static void call_there(void *arg)
{
    struct call *c = arg;
    call(c);
    context_switch(&c->there, &c->back, 0);
}

static bool changes_stack(const struct green *g, const struct sigaction *act, uintptr_t here)
{
    return act->sa_flags & SA_ONSTACK && g->alt.ss_size && !altstack_holds(&g->alt, here);
}

static char *alt_top(const struct green *g)
{
    return (char *)g->alt.ss_sp + g->alt.ss_size;
}

uintptr_t handler_place(const struct green *g, const struct sigaction *act, uintptr_t here)
{
    return changes_stack(g, act, here) ? (uintptr_t)alt_top(g) - 1 : here;
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
        context_init(&c.there, alt_top(g), call_there, &c);
        if (alt.ss_flags & ALTSTACK_DISARMS)
            set_altstack(g, &none);
        context_switch(&c.back, &c.there, 0);
    } else {
        call(&c);
    }
    set_altstack(g, &alt);
}
