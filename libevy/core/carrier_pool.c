#include "core/carrier_pool.h"

#include "base/spin.h"
#include "core/hub.h"

#include <string.h>

#define MAX_CARRIERS (HUB_SLOTS + MAX_SPARES)

static struct carrier carriers[MAX_CARRIERS];
static unsigned carrier_count;  /* used ones, ended ones among them; written under spares_lock */
static unsigned ended_count;    /* those in ended; written under spares_lock */
static struct carrier *ended;   /* whose kernel threads have ended; spares_lock */
static struct carrier *spares;  /* without a hub, newest first; spares_lock */
static struct spin spares_lock; /* protects the above; nests inside nothing */

struct carrier *slot_take(void)
{
    spin_lock(&spares_lock);
    struct carrier *c = ended;
    if (c) {
        ended = c->next;
        ended_count--;
    } else if (carrier_count < MAX_CARRIERS) {
        c = &carriers[carrier_count++];
    }
    spin_unlock(&spares_lock);
    if (c)
        memset(c, 0, sizeof *c);
    return c;
}

void slot_put(struct carrier *c)
{
    c->tid = 0;
    spin_lock(&spares_lock);
    c->next = ended;
    ended = c;
    ended_count++;
    spin_unlock(&spares_lock);
}

struct carrier *slot_main(void)
{
    return &carriers[0];
}

void slot_take_main(void)
{
    carrier_count = 1;
}

unsigned slots_used(void)
{
    return carrier_count - ended_count;
}

bool carrier_is_main(const struct carrier *c)
{
    return c == carriers;
}

void carrier_put_spare(struct carrier *c)
{
    spin_lock(&spares_lock);
    c->next = spares;
    spares = c;
    spin_unlock(&spares_lock);
}

struct carrier *carrier_take_spare(void)
{
    spin_lock(&spares_lock);
    struct carrier *c = spares;
    if (c)
        spares = c->next;
    spin_unlock(&spares_lock);
    return c;
}

struct carrier *carrier_take_main(void)
{
    spin_lock(&spares_lock);
    struct carrier **at = &spares;
    while (*at && *at != carriers)
        at = &(*at)->next;
    struct carrier *c = *at;
    if (c)
        *at = c->next;
    spin_unlock(&spares_lock);
    return c;
}

struct carrier *carrier_of_tid(int tid)
{
    for (unsigned i = 0; i < carrier_count; i++)
        if (carriers[i].tid == tid)
            return &carriers[i];
    return NULL;
}

bool carriers_rest(unsigned kernel_threads)
{
    unsigned idle = 0, driving = 0;
    for (unsigned i = 0; i < hub_count; i++)
        driving += hubs[i].carrier != NULL;
    spin_lock(&spares_lock);
    for (struct carrier *c = spares; c; c = c->next)
        idle++;
    spin_unlock(&spares_lock);
    unsigned all = slots_used();
    return kernel_threads == all + 1 && idle == all - driving;
}

void carriers_forget(void)
{
    spares = ended = NULL;
    ended_count = 0;
    spares_lock = (struct spin){0};
    carrier_count = 0;
}
