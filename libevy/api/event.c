#include "api/api.h"

#include <evy/sync.h>

#include <stdlib.h>

struct evy_event {
    struct spin lock;    /* protects the rest */
    struct list waiters; /* turns */
    void *value;         /* what was sent */
    int err;             /* or the error, 0: a value */
    atomic_bool sent;    /* one of them */
};

EVY_API evy_event *evy_event_new(void)
{
    evy_event *e = calloc(1, sizeof *e);
    if (e)
        list_init(&e->waiters);
    return e;
}

EVY_API void evy_event_free(evy_event *e)
{
    free(e);
}

static int send(evy_event *e, void *value, int err)
{
    if (!e || err < 0)
        return api_edge(-EINVAL);
    object_lock(&e->lock);
    if (e->sent) {
        object_unlock(&e->lock);
        return api_edge(-EALREADY);
    }
    e->value = value;
    e->err = err;
    e->sent = true;
    turns_serve_all(&e->waiters, &e->lock, value, err);
    return 0;
}

EVY_API int evy_event_send(evy_event *e, void *value)
{
    return send(e, value, 0);
}

EVY_API int evy_event_send_error(evy_event *e, int err)
{
    return send(e, NULL, err ? err : -1);
}

static int take(const struct turn *t, void **value)
{
    if (t->err)
        return -t->err;
    if (value)
        *value = t->item;
    return 0;
}

EVY_API int evy_event_poll(evy_event *e, void **value)
{
    if (!e)
        return api_edge(-EINVAL);
    object_lock(&e->lock);
    bool sent = e->sent;
    struct turn t = {.item = e->value, .err = e->err};
    object_unlock(&e->lock);
    return api_edge(sent ? take(&t, value) : -EAGAIN);
}

EVY_API int evy_event_wait(evy_event *e, void **value, double timeout)
{
    deadline_t d;
    int r = e ? api_deadline(timeout, &d) : -EINVAL;
    if (r)
        return api_edge(r);
    if (e->sent)
        return evy_event_poll(e, value);
    struct turn t;
    object_lock(&e->lock);
    if (e->sent) {
        object_unlock(&e->lock);
        return evy_event_poll(e, value);
    }
    r = turn_wait(&e->waiters, &e->lock, &t, d);
    if (r)
        object_unlock(&e->lock);
    return api_edge(r ? r : take(&t, value));
}

EVY_API int evy_event_ready(const evy_event *e)
{
    return e && e->sent;
}

EVY_API int evy_event_error(const evy_event *e)
{
    return evy_event_ready(e) ? e->err : 0;
}

EVY_API int evy_event_reset(evy_event *e)
{
    if (!evy_event_ready(e))
        return api_edge(-EINVAL);
    e->sent = false;
    return 0;
}
