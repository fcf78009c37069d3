#include "core/altstack.h"

#include "base/sys.h"
#include "core/carrier.h"
#include "core/hub.h"

#include <signal.h>

atomic_bool altstack_differ;

static atomic_bool lend_none; /* carriers' own ones are not used */

static const struct green nobody; /* has none */

static void install(const stack_t *alt)
{
    sys3(SYS_sigaltstack, alt, 0, 0);
}

stack_t altstack_for(const struct carrier *c, const struct green *g)
{
    if (g->alt.ss_size)
        return g->alt;
    if (atomic_load_explicit(&lend_none, memory_order_relaxed))
        return (stack_t){.ss_flags = SS_DISABLE};
    return (stack_t){.ss_sp = c->own_alt, .ss_size = ALTSTACK_OWN};
}

void altstack_start(struct carrier *c, void *memory)
{
    c->own_alt = memory;
    c->alt = altstack_for(c, &nobody);
    install(&c->alt);
}

void altstack_adopt(struct green *g)
{
    struct carrier *c = g->hub->carrier;
    sys3(SYS_sigaltstack, 0, &c->alt, 0);
    c->alt.ss_flags &= ~SS_ONSTACK;
    if (c->alt.ss_size) {
        g->alt = c->alt;
        atomic_store(&altstack_differ, true);
    }
    altstack_follow(g);
}

static void change(struct carrier *c, const struct green *g)
{
    stack_t alt = altstack_for(c, g);
    if (alt.ss_sp == c->alt.ss_sp && alt.ss_size == c->alt.ss_size &&
        alt.ss_flags == c->alt.ss_flags)
        return;
    install(&alt);
    c->alt = alt;
}

void altstack_follow(struct green *g)
{
    change(g->hub->carrier, g);
}

void altstack_left(struct carrier *c)
{
    change(c, &nobody);
}

void altstack_lend_none(void)
{
    atomic_store(&lend_none, true);
    atomic_store(&altstack_differ, true);
}

void altstack_forget(const struct green *g)
{
    stack_t alt = g && g->alt.ss_size ? g->alt : (stack_t){.ss_flags = SS_DISABLE};
    if (g)
        install(&alt);
    atomic_store(&lend_none, false);
    atomic_store(&altstack_differ, false);
}
