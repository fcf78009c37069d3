#include "proc/altstack.h"

#include "base/sys.h"
#include "body/critical.h"
#include "core/altstack.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "io/io.h"

/* The kernel judges the request by what it has for the carrier, which is g's own or one that g does not stand on. */
static long change(struct green *g, const stack_t *new, stack_t *old)
{
    struct carrier *c = g->hub->carrier;
    altstack_follow(g);
    long r = sys3(SYS_sigaltstack, new, old, 0);
    if (g->alt.ss_size == 0)
        *old = (stack_t){.ss_flags = SS_DISABLE};
    if (r < 0 || !new)
        return r;
    sys3(SYS_sigaltstack, 0, &c->alt, 0);
    c->alt.ss_flags &= ~SS_ONSTACK;
    g->alt = c->alt;
    atomic_store(&altstack_differ, true);
    altstack_follow(g);
    return 0;
}

int evy_sigaltstack(const stack_t *new, stack_t *old)
{
    struct green *g = self();
    stack_t before;
    critical_enter_as(g);
    long r = change(g, new, &before);
    critical_leave_as(g);
    if (r == 0 && old)
        *old = before;
    return (int)errno_edge(r);
}
