#include "core/gather.h"

#define WINDOW_NS 10000000
#define SHORT_NS 50000   /* of work between two sleeps: what it takes to wake another hub, twice */
#define OFTEN 20         /* spells in a window: fewer cost nothing that could be seen */
#define BEHIND_NS 500000 /* of work without a sleep */
#define ENOUGH 700       /* permille of one hub's time */
#define HOLD_LEAST_NS 4000000
#define HOLD_MOST_NS 64000000
#define FORGET_NS 1000000000 /* after so long the hold is the least again */

static int64_t get(const _Atomic int64_t *time)
{
    return atomic_load_explicit(time, memory_order_relaxed);
}

static void put(_Atomic int64_t *time, int64_t ns)
{
    atomic_store_explicit(time, ns, memory_order_relaxed);
}

static bool is_choppy(const struct load *l, int64_t now)
{
    return now - get(&l->at) < 2 * WINDOW_NS && get(&l->spell) < SHORT_NS;
}

/* A hub before h that could do the work of both; NULL when there is none. */
static struct hub *one_for_both(const struct hub *h, int64_t now)
{
    unsigned own = atomic_load_explicit(&h->load.permille, memory_order_relaxed);
    for (struct hub *other = hubs; other < h; other++)
        if (!other->apart && is_choppy(&other->load, now) &&
            own + atomic_load_explicit(&other->load.permille, memory_order_relaxed) < ENOUGH)
            return other;
    return NULL;
}

/* The more often it comes back here after it has gone, the longer it stays. */
static void hold(struct load *l, int64_t now)
{
    int64_t ns = now - get(&l->held_at) < FORGET_NS ? 2 * get(&l->hold) : HOLD_LEAST_NS;
    put(&l->hold, ns < HOLD_MOST_NS ? ns : HOLD_MOST_NS);
    put(&l->held_at, now);
}

static void end_window(struct hub *h, int64_t now)
{
    struct load *l = &h->load;
    bool often = l->spells >= OFTEN;
    put(&l->spell, l->busy / l->spells);
    atomic_store_explicit(&l->permille, (unsigned)(l->busy * 1000 / (now - l->since)),
                          memory_order_relaxed);
    put(&l->at, now);
    struct hub *to = often && !h->apart && is_choppy(l, now) ? one_for_both(h, now) : NULL;
    if (to && !l->to)
        hold(&to->load, now);
    l->to = to;
    l->since = now;
    l->busy = l->spells = 0;
}

void gather_slept(struct hub *h, int64_t now, int64_t worked)
{
    h->load.busy += worked;
    h->load.spells++;
    if (now - h->load.since >= WINDOW_NS)
        end_window(h, now);
}

/* Not to one that falls behind, and may be giving away just now. */
struct hub *gather_to(const struct hub *h, int64_t now)
{
    struct hub *to = h->load.to;
    if (!to || now - get(&h->load.at) > 2 * WINDOW_NS)
        return NULL;
    bool asleep = atomic_load_explicit(&to->asleep, memory_order_relaxed);
    return asleep || now - get(&to->busy_since) < BEHIND_NS ? to : NULL;
}

bool gather_holds(const struct hub *h, int64_t now, int64_t busy)
{
    unsigned turns = atomic_load_explicit(&h->switches, memory_order_relaxed) - h->busy_from;
    return now - get(&h->load.held_at) < FORGET_NS && busy < get(&h->load.hold) &&
           busy < turns * (int64_t)SHORT_NS;
}
