#include "api/api.h"

#include "base/config.h"
#include "base/sys.h"
#include "body/critical.h"
#include "core/hub.h"
#include "core/sched.h"
#include "io/io.h"
#include "sync/cancel.h"
#include "sync/runtime.h"

#include <math.h>

/* Only main may: any other kernel thread ends with its start routine, and would take the hub along. Main of a program
   that calls us is cooperative, as the green threads it spawns. */
struct green *api_start(void)
{
    bool is_main = sys_gettid() == (int)sys3(SYS_getpid, 0, 0, 0);
    int r = hub_count || !is_main ? -EPERM : 0;
    if (r == 0) {
        runtime_prepare();
        r = runtime_start();
    }
    if (r) {
        errno = -r;
        return NULL;
    }
    critical_enter(); /* a monitor that strands it asks whether it is */
    self()->flags |= GREEN_COOP;
    critical_leave();
    return self();
}

int api_may_wait(void)
{
    struct green *g = self();
    if (unlikely(!g))
        return hub_count || api_start() ? 0 : -errno;
    return unlikely(g->flags & GREEN_LOOP) ? -EDEADLK : 0;
}

int api_deadline(double seconds, deadline_t *d)
{
    if (isnan(seconds))
        return -EINVAL;
    double ns = seconds * 1e9;
    *d = ns >= 9e18 ? DEADLINE_NEVER : deadline_after(ns > 0 ? (int64_t)ns : 0);
    return 0;
}

int api_wait(const atomic_uint *word, unsigned expected, deadline_t d)
{
    int r = api_may_wait();
    if (r)
        return r;
    if (self() && d != DEADLINE_NEVER && deadline_left(d) == 0) {
        sched_yield_to_io();
        if (atomic_load(word) != expected)
            return 0;
    }
    r = lot_park(word, expected, d, LOT_CANCEL | LOT_RAISE | LOT_API);
    return r == -EAGAIN ? 0 : r;
}

int api_edge(long r)
{
    if (unlikely(r == -ECANCELED))
        cancel_point();
    return (int)errno_edge(r);
}

int turn_wait(struct list *queue, struct spin *lock, struct turn *t, deadline_t d)
{
    atomic_store_explicit(&t->served, 0, memory_order_relaxed);
    list_append(queue, &t->node);
    object_unlock(lock);
    while (!atomic_load_explicit(&t->served, memory_order_acquire)) {
        int r = api_wait(&t->served, 0, d);
        if (r == 0)
            continue;
        object_lock(lock);
        if (!atomic_load_explicit(&t->served, memory_order_relaxed)) {
            list_remove(&t->node);
            return r;
        }
        object_unlock(lock);
    }
    return 0;
}

struct turn *turn_first(const struct list *queue)
{
    return list_entry(queue->next, struct turn, node);
}

const atomic_uint *turn_serve(struct turn *t)
{
    list_remove(&t->node);
    atomic_exchange(&t->served, 1);
    return &t->served;
}

void turn_call(const atomic_uint *served)
{
    lot_unpark_fenced(served, 1);
}

void turns_serve_all(struct list *queue, struct spin *lock, void *item, int err)
{
    struct list woken = {&woken, &woken}; /* who comes meanwhile waits for the next time */
    list_move_all(&woken, queue);
    while (!list_empty(&woken)) {
        struct turn *t = turn_first(&woken);
        t->item = item;
        t->err = err;
        const atomic_uint *served = turn_serve(t);
        object_unlock(lock);
        turn_call(served);
        object_lock(lock);
    }
    object_unlock(lock);
}
