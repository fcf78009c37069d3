#include "core/apart.h"

#include "base/spin.h"
#include "body/critical.h"
#include "core/birth.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "core/sched.h"

#include <errno.h>

void (*apart_leaving)(struct hub *h);

static struct hub *unused; /* hubs that nobody drives, by next_apart; lock */
static struct spin
    lock; /* protects unused and the making of hubs; nests around those of hub_make */

static struct hub *take(void)
{
    spin_lock(&lock);
    struct hub *h = unused;
    if (h)
        unused = h->next_apart;
    else
        h = hub_make_apart();
    spin_unlock(&lock);
    return h;
}

void apart_put(struct hub *h)
{
    h->carrier = NULL;
    atomic_store(&h->asleep, 1);
    spin_lock(&lock);
    h->next_apart = unused;
    unused = h;
    spin_unlock(&lock);
}

/* A hub for one, and the carrier that is to drive it or the hub that is left. Main goes back to its kernel thread. */
static struct hub *take_with_carrier(bool main, struct carrier **fresh)
{
    struct hub *h = take();
    *fresh = h && main ? carrier_take_main() : NULL;
    if (h && !*fresh)
        *fresh = carrier_clone();
    if (h && !*fresh) {
        apart_put(h);
        h = NULL;
    }
    if (h) {
        h->residents = 1;
        atomic_store(&h->asleep, 0);
    }
    return h;
}

static int leave_others(struct green *g, bool here)
{
    struct carrier *fresh;
    struct hub *own = take_with_carrier(g->flags & GREEN_MAIN && !g->hub->apart, &fresh);
    if (!own)
        return -EAGAIN;
    g->hub->residents--;
    if (here || carrier_is_main(g->hub->carrier) == !!(g->flags & GREEN_MAIN)) {
        carrier_keep(g, own, fresh);
    } else {
        carrier_give(fresh, own);
        sched_move(own);
    }
    return 0;
}

int apart_go(bool here)
{
    struct green *g = self();
    int r = 0;
    if (!g)
        return 0;
    critical_enter_as(g);
    if (g->flags & (GREEN_LOOP | GREEN_LIGHT | GREEN_COOP | GREEN_STAYS) || g->handlers ||
        !list_empty(&g->raises.armed))
        r = -EBUSY;
    else if (!g->hub->apart || g->hub->residents > 1)
        r = leave_others(g, here);
    critical_leave_as(g);
    return r;
}

struct hub *apart_hub_for_new(void)
{
    struct carrier *fresh;
    critical_enter();
    struct hub *own = take_with_carrier(false, &fresh);
    if (own)
        carrier_give(fresh, own);
    critical_leave();
    return own ? own : this_hub();
}

/* The loop is in no hurry: what others may still have posted is done when h is used again. */
void apart_leave(struct hub *h)
{
    if (h->timers.count)
        return;
    apart_leaving(h);
    green_give_back(&h->stock);
    carrier_end(h);
}

void apart_forget(void)
{
    unused = NULL;
    lock = (struct spin){0};
}
