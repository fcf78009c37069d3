#include "api/api.h"
#include "api/items.h"

#include "core/sched.h"

#include <evy/queue.h>

#include <stdlib.h>

struct evy_queue {
    struct spin lock; /* protects the rest */
    struct items items;
    long max;            /* bound; 0: a channel, -1: none */
    bool zero_is_none;   /* EVY_Q_STDLIB */
    struct list getters; /* turns that want an item */
    struct list putters; /* turns that bring one */
    struct list joiners; /* turns that wait for unfinished to be 0 */
    long getting;        /* number of getters */
    long putting;        /* number of putters */
    long unfinished;     /* tasks put and not done */
};

static long normal_max(const evy_queue *q, long max)
{
    return max < 0 || (max == 0 && q->zero_is_none) ? -1 : max;
}

static evy_queue *queue_new(long max, int kind, int (*cmp)(const void *, const void *))
{
    evy_queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    list_init(&q->getters);
    list_init(&q->putters);
    list_init(&q->joiners);
    q->items.lifo = kind & EVY_Q_LIFO;
    q->items.cmp = cmp;
    q->zero_is_none = kind & EVY_Q_STDLIB;
    q->max = normal_max(q, max);
    return q;
}

EVY_API evy_queue *evy_queue_new(long max, int kind)
{
    if (kind & ~(EVY_Q_LIFO | EVY_Q_STDLIB)) {
        errno = EINVAL;
        return NULL;
    }
    return queue_new(max, kind, NULL);
}

EVY_API evy_queue *evy_queue_new_priority(long max, int (*cmp)(const void *, const void *))
{
    if (!cmp)
        errno = EINVAL;
    return cmp ? queue_new(max, 0, cmp) : NULL;
}

EVY_API void evy_queue_free(evy_queue *q)
{
    if (q)
        free(q->items.slots);
    free(q);
}

static bool has_room(const evy_queue *q)
{
    return q->max < 0 || (long)q->items.count < q->max;
}

static const atomic_uint *give(evy_queue *q, void *item)
{
    struct turn *t = turn_first(&q->getters);
    q->getting--;
    t->item = item;
    return turn_serve(t);
}

static const atomic_uint *release(evy_queue *q, void **item)
{
    struct turn *t = turn_first(&q->putters);
    q->putting--;
    q->unfinished++;
    *item = t->item;
    return turn_serve(t);
}

/* Memory for one item more is taken with the lock released. The lock is held before and after. */
static int make_room(evy_queue *q)
{
    while (q->items.count == q->items.room) {
        size_t room = q->items.room ? q->items.room * 2 : 16;
        object_unlock(&q->lock);
        struct item *slots = malloc(room * sizeof *slots), *old = slots;
        object_lock(&q->lock);
        if (slots && q->items.count < room && q->items.room < room)
            old = items_move(&q->items, slots, room);
        free(old);
        if (!slots)
            return -ENOMEM;
    }
    return 0;
}

/* With the lock held. Returns -EAGAIN when there is neither room nor a getter; *served is somebody to call. */
static int put_now(evy_queue *q, void *item, const atomic_uint **served)
{
    *served = NULL;
    if (q->getting > 0) {
        *served = give(q, item);
    } else if (has_room(q)) {
        int r = make_room(q);
        if (r)
            return r;
        if (q->getting > 0) /* came while the lock was released */
            *served = give(q, item);
        else
            items_put(&q->items, item);
    } else {
        return -EAGAIN;
    }
    q->unfinished++;
    return 0;
}

/* On a channel the receiver goes on first. */
static int after_put(evy_queue *q, const atomic_uint *served)
{
    bool channel = q->max == 0;
    struct green *g = self();
    object_unlock(&q->lock);
    if (served)
        turn_call(served);
    if (channel && g && !(g->flags & GREEN_LOOP))
        sched_yield_now();
    return 0;
}

EVY_API int evy_queue_tryput(evy_queue *q, void *item)
{
    const atomic_uint *served;
    if (!q)
        return api_edge(-EINVAL);
    object_lock(&q->lock);
    int r = put_now(q, item, &served);
    if (r == 0)
        return after_put(q, served);
    object_unlock(&q->lock);
    return api_edge(r);
}

EVY_API int evy_queue_put(evy_queue *q, void *item, double timeout)
{
    deadline_t d;
    const atomic_uint *served;
    int r = q ? api_deadline(timeout, &d) : -EINVAL;
    if (r)
        return api_edge(r);
    object_lock(&q->lock);
    r = put_now(q, item, &served);
    if (r == 0)
        return after_put(q, served);
    if (r == -EAGAIN) {
        struct turn t = {.item = item};
        q->putting++;
        r = turn_wait(&q->putters, &q->lock, &t, d);
        if (r == 0)
            return 0;
        q->putting--;
    }
    object_unlock(&q->lock);
    return api_edge(r);
}

/* With the lock held: what a putter who waits brings takes the place that has become free. */
static const atomic_uint *refill(evy_queue *q)
{
    void *item;
    if (q->putting == 0 || !has_room(q) || q->items.count == q->items.room)
        return NULL;
    const atomic_uint *served = release(q, &item);
    items_put(&q->items, item);
    return served;
}

static int get_now(evy_queue *q, void **item, const atomic_uint **served)
{
    *served = NULL;
    if (q->items.count > 0) {
        *item = items_take(&q->items);
        *served = refill(q);
    } else if (q->putting > 0) {
        *served = release(q, item);
    } else {
        return -EAGAIN;
    }
    return 0;
}

static int get_at_once(evy_queue *q, void **item)
{
    const atomic_uint *served;
    int r = get_now(q, item, &served);
    if (r == 0) {
        object_unlock(&q->lock);
        if (served)
            turn_call(served);
    }
    return r;
}

EVY_API int evy_queue_tryget(evy_queue *q, void **item)
{
    void *unwanted;
    if (!q)
        return api_edge(-EINVAL);
    object_lock(&q->lock);
    int r = get_at_once(q, item ? item : &unwanted);
    if (r)
        object_unlock(&q->lock);
    return api_edge(r);
}

EVY_API int evy_queue_get(evy_queue *q, void **item, double timeout)
{
    deadline_t d;
    struct turn t = {0};
    int r = q ? api_deadline(timeout, &d) : -EINVAL;
    if (r)
        return api_edge(r);
    object_lock(&q->lock);
    r = get_at_once(q, &t.item);
    if (r) {
        q->getting++;
        r = turn_wait(&q->getters, &q->lock, &t, d);
        if (r) {
            q->getting--;
            object_unlock(&q->lock);
            return api_edge(r);
        }
    }
    if (item)
        *item = t.item;
    return 0;
}

/* Putters that have room now. */
EVY_API int evy_queue_resize(evy_queue *q, long max)
{
    const atomic_uint *served;
    if (!q)
        return api_edge(-EINVAL);
    object_lock(&q->lock);
    q->max = normal_max(q, max);
    while (q->putting > 0 && has_room(q) && make_room(q) == 0) {
        served = refill(q);
        object_unlock(&q->lock);
        if (served)
            turn_call(served);
        object_lock(&q->lock);
    }
    object_unlock(&q->lock);
    return 0;
}

EVY_API long evy_queue_len(const evy_queue *q)
{
    return q ? (long)q->items.count : 0;
}

EVY_API int evy_queue_empty(const evy_queue *q)
{
    return !q || q->items.count == 0;
}

EVY_API int evy_queue_full(const evy_queue *q)
{
    return q && !has_room(q);
}

EVY_API long evy_queue_max(const evy_queue *q)
{
    return q ? q->max : 0;
}

EVY_API long evy_queue_getting(const evy_queue *q)
{
    return q ? q->getting : 0;
}

EVY_API long evy_queue_putting(const evy_queue *q)
{
    return q ? q->putting : 0;
}

EVY_API long evy_queue_unfinished(const evy_queue *q)
{
    return q ? q->unfinished : 0;
}

EVY_API int evy_queue_task_done(evy_queue *q)
{
    if (!q)
        return api_edge(-EINVAL);
    object_lock(&q->lock);
    int r = q->unfinished > 0 ? 0 : -EINVAL;
    if (r == 0 && --q->unfinished == 0)
        turns_serve_all(&q->joiners, &q->lock, NULL, 0);
    else
        object_unlock(&q->lock);
    return api_edge(r);
}

EVY_API int evy_queue_join(evy_queue *q, double timeout)
{
    deadline_t d;
    struct turn t;
    int r = q ? api_deadline(timeout, &d) : -EINVAL;
    if (r)
        return api_edge(r);
    object_lock(&q->lock);
    if (q->unfinished > 0)
        r = turn_wait(&q->joiners, &q->lock, &t, d);
    else
        object_unlock(&q->lock);
    if (r)
        object_unlock(&q->lock);
    return api_edge(r);
}
