/* GreenPool. */
#include "api/gt.h"

#include <evy/pool.h>

#include <stdlib.h>

struct evy_pool {
    struct spin lock;     /* protects the rest */
    int size;             /* slots */
    int running;          /* slots taken */
    int waiting;          /* spawners */
    struct list spawners; /* turns that wait for a slot */
    struct list idlers;   /* turns that wait for nobody to run */
    struct list members;  /* green threads that have a slot, oldest first */
};

EVY_API evy_pool *evy_pool_new(int size)
{
    if (size < 0) {
        errno = EINVAL;
        return NULL;
    }
    evy_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->size = size;
    list_init(&p->spawners);
    list_init(&p->idlers);
    list_init(&p->members);
    return p;
}

EVY_API int evy_pool_free(evy_pool *p)
{
    if (!p || p->running || p->waiting || !list_empty(&p->idlers))
        return api_edge(p ? -EBUSY : -EINVAL);
    free(p);
    return 0;
}

/* With the lock held, releases it: slots that are free go to who waits longest. */
static void hand_out(evy_pool *p)
{
    while (p->waiting > 0 && p->running < p->size) {
        const atomic_uint *served = turn_serve(turn_first(&p->spawners));
        p->waiting--;
        p->running++;
        object_unlock(&p->lock);
        turn_call(served);
        object_lock(&p->lock);
    }
    if (p->running == 0 && p->waiting == 0)
        turns_serve_all(&p->idlers, &p->lock, NULL, 0);
    else
        object_unlock(&p->lock);
}

static void slot_back(evy_pool *p)
{
    object_lock(&p->lock);
    p->running--;
    hand_out(p);
}

void pool_member_ends(struct green *g)
{
    evy_pool *p = g->gt.pool;
    g->gt.pool = NULL;
    object_lock(&p->lock);
    list_remove(&g->gt.comrade);
    p->running--;
    hand_out(p);
}

static bool is_member(const evy_pool *p)
{
    const struct green *g = self();
    return g && g->gt.pool == p;
}

/* Returns 0 with a slot taken, -EALREADY when a member is to do without, or -errno. */
static int slot_take(evy_pool *p)
{
    struct turn t;
    object_lock(&p->lock);
    if (p->running < p->size && p->waiting == 0) {
        p->running++;
        object_unlock(&p->lock);
        return 0;
    }
    if (is_member(p)) {
        object_unlock(&p->lock);
        return -EALREADY;
    }
    p->waiting++;
    int r = turn_wait(&p->spawners, &p->lock, &t, DEADLINE_NEVER);
    if (r) {
        p->waiting--;
        hand_out(p);
    }
    return r;
}

static struct green *spawn(evy_pool *p, unsigned state, evy_fn fn, void *arg)
{
    struct green *g = gt_make(NULL, state, fn, arg);
    if (!g) {
        slot_back(p);
        return NULL;
    }
    g->gt.pool = p;
    object_lock(&p->lock);
    list_append(&p->members, &g->gt.comrade);
    object_unlock(&p->lock);
    gt_run(g);
    return g;
}

/* fn has ended the member that called it: nobody gets the handle. */
static void drop_inline(void *g)
{
    gt_finish_inline(g, NULL);
    evy_gt_unref(handle_of(g));
}

static struct green *run_inline(evy_fn fn, void *arg)
{
    evy_cleanup c;
    struct green *g = gt_make(NULL, 0, fn, arg);
    if (!g)
        return NULL;
    evy_cleanup_push(&c, drop_inline, g);
    void *result = fn(arg);
    evy_cleanup_pop(0);
    gt_finish_inline(g, result);
    return g;
}

EVY_API evy_gt *evy_pool_spawn(evy_pool *p, evy_fn fn, void *arg)
{
    int r = p && fn ? slot_take(p) : -EINVAL;
    if (r == -EALREADY)
        return handle_of(run_inline(fn, arg));
    if (r) {
        api_edge(r);
        return NULL;
    }
    return handle_of(spawn(p, 0, fn, arg));
}

EVY_API int evy_pool_spawn_n(evy_pool *p, evy_fn fn, void *arg)
{
    int r = p && fn ? slot_take(p) : -EINVAL;
    if (r == -EALREADY) {
        fn(arg);
        return 0;
    }
    if (r)
        return api_edge(r);
    return spawn(p, GT_NO_RESULT, fn, arg) ? 0 : -1;
}

EVY_API int evy_pool_waitall(evy_pool *p)
{
    struct turn t;
    if (!p || is_member(p))
        return api_edge(p ? -EDEADLK : -EINVAL);
    object_lock(&p->lock);
    int r = 0;
    if (p->running > 0 || p->waiting > 0)
        r = turn_wait(&p->idlers, &p->lock, &t, DEADLINE_NEVER);
    else
        object_unlock(&p->lock);
    if (r)
        object_unlock(&p->lock);
    return api_edge(r);
}

/* The members there are, each with a reference; -ENOMEM. */
static int members_of(evy_pool *p, evy_gt ***gts, size_t *count)
{
    size_t room = (size_t)p->running;
    *count = 0;
    *gts = malloc((room + 1) * sizeof **gts);
    if (!*gts)
        return -ENOMEM;
    object_lock(&p->lock);
    list_for_each (node, &p->members)
        if (*count < room && list_entry(node, struct green, gt.comrade) != self())
            (*gts)[(*count)++] = evy_gt_ref(handle_of(list_entry(node, struct green, gt.comrade)));
    object_unlock(&p->lock);
    return 0;
}

EVY_API int evy_pool_killall(evy_pool *p, int err)
{
    evy_gt **gts;
    size_t count;
    int r = p && err >= 0 ? members_of(p, &gts, &count) : -EINVAL;
    if (r)
        return api_edge(r);
    r = evy_killall(gts, count, err);
    while (count)
        evy_gt_unref(gts[--count]);
    free(gts);
    return r;
}

EVY_API int evy_pool_resize(evy_pool *p, int size)
{
    if (!p || size < 0)
        return api_edge(-EINVAL);
    object_lock(&p->lock);
    p->size = size;
    hand_out(p);
    return 0;
}

EVY_API int evy_pool_size(const evy_pool *p)
{
    return p ? p->size : 0;
}

EVY_API int evy_pool_running(const evy_pool *p)
{
    return p ? p->running : 0;
}

EVY_API int evy_pool_free_slots(const evy_pool *p)
{
    return p ? p->size - p->running : 0;
}

EVY_API int evy_pool_waiting(const evy_pool *p)
{
    return p ? p->waiting : 0;
}
