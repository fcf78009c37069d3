/* A pool of resources. */
#include "api/api.h"
#include "api/items.h"

#include <evy/respool.h>

#include <stdlib.h>

struct evy_respool {
    struct spin lock;                /* protects the rest */
    struct items free;               /* items nobody has; there is room for max */
    int max;                         /* items there may be */
    int count;                       /* items there are, out or free, or being made */
    struct list getters;             /* turns: given an item, or NULL to make one */
    int waiting;                     /* their number */
    void *(*create)(void *);         /* the program's */
    void (*destroy)(void *, void *); /* likewise, or NULL */
    void *arg;                       /* for both */
};

static int make_room(evy_respool *p, int max)
{
    size_t room = 16;
    while (room < (size_t)max)
        room *= 2;
    if (room <= p->free.room)
        return 0;
    struct item *slots = malloc(room * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    object_lock(&p->lock);
    slots = items_move(&p->free, slots, room);
    object_unlock(&p->lock);
    free(slots);
    return 0;
}

static void destroy(evy_respool *p, void *item)
{
    if (p->destroy)
        p->destroy(item, p->arg);
}

static int fill(evy_respool *p, int min)
{
    for (; p->count < min; p->count++) {
        void *item = p->create(p->arg);
        if (!item)
            return -1;
        items_put(&p->free, item);
    }
    return 0;
}

EVY_API evy_respool *evy_respool_new(int min, int max, unsigned flags, void *(*create)(void *),
                                     void (*destroy_item)(void *, void *), void *arg)
{
    if (!create || min < 0 || max < min || flags & ~(unsigned)EVY_RESPOOL_STACK) {
        errno = EINVAL;
        return NULL;
    }
    evy_respool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->max = max;
    p->free.lifo = flags & EVY_RESPOOL_STACK;
    p->create = create;
    p->destroy = destroy_item;
    p->arg = arg;
    list_init(&p->getters);
    if (make_room(p, max) || fill(p, min)) {
        int saved = errno;
        evy_respool_free(p);
        errno = saved;
        return NULL;
    }
    return p;
}

EVY_API int evy_respool_free(evy_respool *p)
{
    if (!p || p->waiting)
        return api_edge(p ? -EBUSY : -EINVAL);
    while (p->free.count)
        destroy(p, items_take(&p->free));
    free(p->free.slots);
    free(p);
    return 0;
}

/* Somebody who waits is given item (NULL: leave to make one). The lock is held; releases it. */
static void serve(evy_respool *p, void *item)
{
    struct turn *t = turn_first(&p->getters);
    p->waiting--;
    t->item = item;
    const atomic_uint *served = turn_serve(t);
    object_unlock(&p->lock);
    turn_call(served);
}

/* The place of an item is free. */
static void place_back(evy_respool *p)
{
    object_lock(&p->lock);
    if (p->waiting > 0 && p->count <= p->max) {
        serve(p, NULL); /* it is counted on */
        return;
    }
    p->count--;
    object_unlock(&p->lock);
}

/* A place is counted already. */
static void *make_one(evy_respool *p)
{
    void *item = p->create(p->arg);
    if (!item) {
        int saved = errno;
        place_back(p);
        errno = saved;
    }
    return item;
}

EVY_API void *evy_respool_get(evy_respool *p, double timeout)
{
    deadline_t d;
    struct turn t = {0};
    int r = p ? api_deadline(timeout, &d) : -EINVAL;
    if (r) {
        api_edge(r);
        return NULL;
    }
    object_lock(&p->lock);
    if (p->free.count > 0) {
        t.item = items_take(&p->free);
        object_unlock(&p->lock);
    } else if (p->count < p->max) {
        p->count++;
        object_unlock(&p->lock);
    } else {
        p->waiting++;
        r = turn_wait(&p->getters, &p->lock, &t, d);
        if (r) {
            p->waiting--;
            object_unlock(&p->lock);
            api_edge(r);
            return NULL;
        }
    }
    return t.item ? t.item : make_one(p);
}

EVY_API int evy_respool_put(evy_respool *p, void *item)
{
    if (!p)
        return api_edge(-EINVAL);
    if (!item) {
        place_back(p);
        return 0;
    }
    object_lock(&p->lock);
    if (p->count > p->max) {
        p->count--;
        object_unlock(&p->lock);
        destroy(p, item);
    } else if (p->waiting > 0) {
        serve(p, item);
    } else {
        items_put(&p->free, item);
        object_unlock(&p->lock);
    }
    return 0;
}

/* Who waits may go on, with what may be made now. */
EVY_API int evy_respool_resize(evy_respool *p, int max)
{
    int r = p && max >= 0 ? make_room(p, max) : -EINVAL;
    if (r)
        return api_edge(r);
    object_lock(&p->lock);
    p->max = max;
    while (p->waiting > 0 && p->count < p->max) {
        p->count++;
        serve(p, NULL);
        object_lock(&p->lock);
    }
    object_unlock(&p->lock);
    return 0;
}

EVY_API int evy_respool_available(const evy_respool *p)
{
    return p ? (int)p->free.count + p->max - p->count : 0;
}

EVY_API int evy_respool_waiting(const evy_respool *p)
{
    return p ? p->waiting : 0;
}
