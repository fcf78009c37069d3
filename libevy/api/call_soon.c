/* Calls posted to hubs. Their nodes are preallocated: signal handlers may post. */
#include "api/api.h"

#include "core/hub.h"

#include <evy/hub.h>

#define MOST 1024

struct call {
    struct hub_call base; /* in the hub's inbox while it waits */
    void (*fn)(void *);   /* the program's */
    void *arg;            /* its argument */
    atomic_bool used;     /* from post to call */
};

static struct call calls[MOST];
static atomic_uint next; /* where the search for a free one begins */

static struct call *claim(void)
{
    for (unsigned i = 0; i < MOST; i++) {
        struct call *c = &calls[atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % MOST];
        if (!atomic_load_explicit(&c->used, memory_order_relaxed) &&
            !atomic_exchange(&c->used, true))
            return c;
    }
    return NULL;
}

static void make(struct hub_call *base)
{
    struct call *c = container_of(base, struct call, base);
    void (*fn)(void *) = c->fn;
    void *arg = c->arg;
    atomic_store(&c->used, false);
    fn(arg);
}

static int post(struct hub *h, void (*fn)(void *), void *arg)
{
    if (!hub_count || !fn)
        return fn ? -EPERM : -EINVAL;
    struct call *c = claim();
    if (!c)
        return -EAGAIN;
    c->base.fn = make;
    c->fn = fn;
    c->arg = arg;
    hub_post_call(h, &c->base);
    return 0;
}

EVY_API int evy_call_soon(evy_hub *hub, void (*fn)(void *), void *arg)
{
    int r = post(hub ? (struct hub *)hub : &hubs[0], fn, arg);
    if (r == 0)
        return 0;
    errno = -r;
    return -1;
}
