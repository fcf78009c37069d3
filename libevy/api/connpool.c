/* A pool of connections: a stack-ordered pool of resources whose items know their age. */
#include "api/gt.h"

#include "core/raise.h"
#include "core/sched.h"

#include <evy/hub.h>
#include <evy/respool.h>
#include <evy/timeout.h>

#include <stdlib.h>

struct conn {
    struct list node; /* in out or idle of its pool */
    void *conn;       /* the program's */
    double made;      /* when it was connected */
    double put;       /* when it was put last */
};

struct evy_connpool {
    evy_connpool_conf conf;
    struct spin lock;    /* protects the lists and counts */
    struct list idle;    /* put longest ago first */
    struct list out;     /* got and not put */
    evy_respool *places; /* one item per connection that is or may be: who waits, waits there */
    evy_gt *reaper;      /* closes what has become too old; NULL: nothing to wait for */
    double reap_at;      /* when it looks next */
    bool ends;           /* evy_connpool_free has begun */
};

/* What the places are made of: any address but NULL. */
static void *place(void *p)
{
    return p;
}

static int connect_in_time(void *arg)
{
    struct evy_connpool *p = ((void **)arg)[0];
    ((void **)arg)[1] = p->conf.connect(p->conf.arg);
    return ((void **)arg)[1] ? 0 : -1;
}

static struct conn *conn_new(evy_connpool *p)
{
    void *io[2] = {p, NULL};
    struct conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    if (evy_with_timeout(p->conf.connect_timeout, connect_in_time, io, NULL)) {
        int saved = errno;
        free(c);
        errno = saved;
        return NULL;
    }
    c->conn = io[1];
    c->made = evy_hub_clock();
    return c;
}

static void conn_end(evy_connpool *p, struct conn *c)
{
    p->conf.close(c->conn, p->conf.arg);
    free(c);
}

static void file_under(evy_connpool *p, struct list *where, struct conn *c)
{
    object_lock(&p->lock);
    list_append(where, &c->node);
    object_unlock(&p->lock);
}

/* When it is too old to lie in the pool any longer. */
static double end_of(const evy_connpool *p, const struct conn *c)
{
    double idle = c->put + p->conf.max_idle, age = c->made + p->conf.max_age;
    return idle < age ? idle : age;
}

/* One that is too old at that time, out of the pool; else *next is when the first will be. */
static struct conn *take_old(evy_connpool *p, double now, double *next)
{
    struct conn *old = NULL;
    *next = EVY_FOREVER;
    object_lock(&p->lock);
    list_for_each_safe (node, &p->idle) {
        struct conn *c = list_entry(node, struct conn, node);
        double end = end_of(p, c);
        if (end <= now && !old)
            old = c;
        else if (end < *next)
            *next = end;
    }
    if (old)
        list_remove(&old->node);
    object_unlock(&p->lock);
    return old;
}

static void *reap(void *arg)
{
    evy_connpool *p = arg;
    for (;;) {
        struct conn *c = take_old(p, evy_hub_clock(), &p->reap_at);
        if (c)
            conn_end(p, c);
        else if (p->ends || p->reap_at >= EVY_FOREVER)
            return NULL;
        else
            evy_sleep(p->reap_at - evy_hub_clock());
    }
}

/* A connection lies in the pool until then. */
static void reap_at(evy_connpool *p, double end)
{
    if (end >= EVY_FOREVER)
        return;
    if (!p->reaper || evy_gt_dead(p->reaper)) {
        evy_gt_unref(p->reaper);
        p->reaper = evy_spawn(reap, p);
    } else if (end < p->reap_at) {
        raise_kill(green_of(p->reaper), ECANCELED);
        sched_unpark(green_of(p->reaper));
    }
}

static struct conn *newest_idle(evy_connpool *p)
{
    struct conn *c = NULL;
    object_lock(&p->lock);
    if (!list_empty(&p->idle)) {
        c = list_entry(p->idle.prev, struct conn, node);
        list_remove(&c->node);
    }
    object_unlock(&p->lock);
    return c;
}

static bool conf_is_valid(const evy_connpool_conf *f)
{
    return f && f->connect && f->close && f->min >= 0 && f->max >= f->min && f->max_idle >= 0 &&
           f->max_age >= 0 && f->connect_timeout >= 0;
}

static int connect_first(evy_connpool *p)
{
    for (int i = 0; i < p->conf.min; i++) {
        struct conn *c = conn_new(p);
        if (!c)
            return -1;
        c->put = c->made;
        file_under(p, &p->idle, c);
        reap_at(p, end_of(p, c));
    }
    return 0;
}

EVY_API evy_connpool *evy_connpool_new(const evy_connpool_conf *conf)
{
    if (!conf_is_valid(conf)) {
        errno = EINVAL;
        return NULL;
    }
    evy_connpool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->conf = *conf;
    list_init(&p->idle);
    list_init(&p->out);
    p->places = evy_respool_new(0, conf->max, 0, place, NULL, p);
    if (!p->places || connect_first(p)) {
        int saved = errno;
        evy_connpool_free(p);
        errno = saved;
        return NULL;
    }
    return p;
}

EVY_API void evy_connpool_clear(evy_connpool *p)
{
    struct conn *c;
    while (p && (c = newest_idle(p)))
        conn_end(p, c);
}

EVY_API int evy_connpool_free(evy_connpool *p)
{
    if (!p || !list_empty(&p->out) || evy_respool_waiting(p->places))
        return api_edge(p ? -EBUSY : -EINVAL);
    p->ends = true;
    evy_connpool_clear(p);
    if (p->reaper)
        evy_kill(p->reaper, 0);
    while (p->reaper && !evy_gt_dead(p->reaper))
        evy_gt_wait(p->reaper, NULL);
    evy_gt_unref(p->reaper);
    if (p->places)
        evy_respool_free(p->places);
    free(p);
    return 0;
}

EVY_API void *evy_connpool_get(evy_connpool *p, double timeout)
{
    if (!p || !evy_respool_get(p->places, timeout)) {
        if (!p)
            errno = EINVAL;
        return NULL;
    }
    struct conn *c = newest_idle(p);
    if (!c)
        c = conn_new(p);
    if (!c) {
        int saved = errno;
        evy_respool_put(p->places, NULL);
        errno = saved;
        return NULL;
    }
    file_under(p, &p->out, c);
    return c->conn;
}

static struct conn *take_out(evy_connpool *p, const void *conn)
{
    struct conn *found = NULL;
    object_lock(&p->lock);
    list_for_each (node, &p->out)
        if (!found && list_entry(node, struct conn, node)->conn == conn)
            found = list_entry(node, struct conn, node);
    if (found)
        list_remove(&found->node);
    object_unlock(&p->lock);
    return found;
}

EVY_API int evy_connpool_drop(evy_connpool *p, void *conn)
{
    struct conn *c = p ? take_out(p, conn) : NULL;
    if (!c)
        return api_edge(-EINVAL);
    free(c);
    return evy_respool_put(p->places, NULL);
}

EVY_API int evy_connpool_put(evy_connpool *p, void *conn)
{
    struct conn *c = p ? take_out(p, conn) : NULL;
    if (!c)
        return api_edge(-EINVAL);
    bool fit = !p->conf.cleanup || p->conf.cleanup(c->conn, p->conf.arg) == 0;
    c->put = evy_hub_clock();
    if (fit && end_of(p, c) > c->put) {
        file_under(p, &p->idle, c);
        reap_at(p, end_of(p, c));
    } else {
        conn_end(p, c);
    }
    return evy_respool_put(p->places, p);
}

EVY_API int evy_connpool_available(const evy_connpool *p)
{
    return p ? evy_respool_available(p->places) : 0;
}

EVY_API int evy_connpool_waiting(const evy_connpool *p)
{
    return p ? evy_respool_waiting(p->places) : 0;
}
