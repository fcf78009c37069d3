#include "body/critical.h"

struct signal_hooks signal_hooks;
void (*critical_rejoin_hook)(struct green *g);

void critical_rejoin(struct green *g)
{
    critical_rejoin_hook(g);
}

void critical_deliver(struct green *g)
{
    if (!(g->flags & GREEN_LOOP))
        signal_hooks.deliver();
}
