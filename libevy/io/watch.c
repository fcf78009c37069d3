#include "io/watch.h"

#include "body/critical.h"
#include "core/apart.h"
#include "core/evloop.h"
#include "core/hub.h"

#include <errno.h>
#include <limits.h>

#define STRAYS 2 /* waits in a row on another hub before the registration follows */

void fd_edge(struct fd *s, int dir, unsigned count)
{
    if (atomic_fetch_add(&s->seq[dir], 1) == UINT32_MAX)
        atomic_fetch_add(&s->seq[dir], 1);
    lot_unpark_fenced(&s->seq[dir], count);
}

static void on_ready(void *arg, int what)
{
    struct fd *s = arg;
    unsigned count = 1;
    if (unlikely(what & EVLOOP_CLOSED)) { /* nobody hands on what does not go away */
        fd_set_flag(s, FD_UNDRAINABLE, true);
        count = UINT_MAX;
    }
    if (what & (EVLOOP_READ | EVLOOP_CLOSED))
        fd_edge(s, FD_READ, count);
    if (what & EVLOOP_WRITE && fd_has(s, FD_AWAITED_WRITE))
        fd_edge(s, FD_WRITE, count);
}

/* Every arrival of data repeats that one may write. Such edges are counted only once somebody has waited to
   write; who is the first must try again after saying so. Returns whether s was new to it. */
static bool first_to_write(struct fd *s, int dir)
{
    if (dir == FD_READ || fd_has(s, FD_AWAITED_WRITE))
        return false;
    atomic_fetch_or(&s->flags, FD_AWAITED_WRITE);
    return true;
}

/* Whether those who wait for s now live on another hub: a few waits in a row say so, two threads on two hubs may
   take turns. */
static bool strayed(struct fd *s)
{
    if (__atomic_load_n(&s->watch_hub, __ATOMIC_RELAXED) == this_hub()) {
        atomic_store_explicit(&s->strays, 0, memory_order_relaxed);
        return false;
    }
    return atomic_fetch_add_explicit(&s->strays, 1, memory_order_relaxed) >= STRAYS;
}

/* Registers with h, which reports present readiness, before the old registration goes: no edge is missed. The kernel
   forgets the old one under the lock: later it might be one made since. */
static int watch_here(struct fd *s, int fd, struct hub *h)
{
    struct evloop_watch *w = NULL, *old;
    spin_lock(&s->lock);
    struct hub *from = s->watch_hub;
    old = atomic_load_explicit(&s->watch, memory_order_relaxed);
    int r = old && from == h ? 0 : evloop_watch(h, fd, EVLOOP_READ | EVLOOP_WRITE, s, &w);
    if (w) {
        __atomic_store_n(&s->watch_hub, h, __ATOMIC_RELAXED);
        atomic_store_explicit(&s->watch, w, memory_order_release);
        if (old)
            evloop_retire(from, old, false);
    }
    spin_unlock(&s->lock);
    return old ? 0 : r;
}

static EVY_COLD int watch_ensure_slow(struct fd *s, int fd)
{
    if (atomic_load_explicit(&s->watch, memory_order_acquire) && !strayed(s))
        return 0;
    struct hub *h = this_hub();
    if (!evloop_edge_triggered(h))
        return 0;
    critical_enter();
    int r = watch_here(s, fd, h);
    critical_leave();
    return r;
}

static inline bool is_here(const struct fd *s)
{
    return atomic_load_explicit(&s->watch, memory_order_acquire) &&
           __atomic_load_n(&s->watch_hub, __ATOMIC_RELAXED) == this_hub() &&
           !atomic_load_explicit(&s->strays, memory_order_relaxed);
}

/* Sees to it that edges of fd are counted from now on. Returns 0, -EPERM for what is always ready, or
   -errno. The first registration reports present readiness as an edge. */
static int watch_ensure(struct fd *s, int fd)
{
    return likely(is_here(s)) ? 0 : watch_ensure_slow(s, fd);
}

void watch_retire(struct fd *s)
{
    if (!atomic_load_explicit(&s->watch, memory_order_acquire))
        return;
    critical_enter();
    spin_lock(&s->lock);
    struct evloop_watch *w = atomic_load_explicit(&s->watch, memory_order_relaxed);
    struct hub *h = s->watch_hub;
    atomic_store_explicit(&s->watch, NULL, memory_order_relaxed);
    spin_unlock(&s->lock);
    if (w)
        evloop_retire(h, w, fd_has(s, FD_OURS));
    critical_leave();
}

static void leave(int fd, struct fd *s, void *h)
{
    struct evloop_watch *w = NULL;
    (void)fd;
    if (__atomic_load_n(&s->watch_hub, __ATOMIC_RELAXED) != h)
        return;
    spin_lock(&s->lock);
    if (s->watch_hub == h) {
        w = atomic_load_explicit(&s->watch, memory_order_relaxed);
        atomic_store_explicit(&s->watch, NULL, memory_order_relaxed);
        s->watch_hub = NULL;
    }
    spin_unlock(&s->lock);
    if (!w)
        return;
    evloop_unwatch(h, w);
    fd_edge(s, FD_READ, UINT_MAX);
    fd_edge(s, FD_WRITE, UINT_MAX);
}

static void leave_all(struct hub *h)
{
    fd_each(leave, h);
}

void watch_start(void)
{
    evloop_ready = on_ready;
    apart_leaving = leave_all;
}

/* Where the backend knows no edges, each wait registers for itself and once. */
static int watch_once(struct fd_wait_entry *e)
{
    struct hub *h = this_hub();
    e->once = NULL;
    if (evloop_edge_triggered(h))
        return 0;
    return evloop_watch(h, e->fd, e->dir == FD_READ ? EVLOOP_READ : EVLOOP_WRITE, e->slot,
                        &e->once);
}

static void unwatch_once(struct fd_wait_entry *e)
{
    if (unlikely(e->once != NULL))
        evloop_unwatch(this_hub(), e->once);
}

static int park(struct fd *s, int dir, unsigned seq, deadline_t deadline)
{
    return lot_park(&s->seq[dir], seq, deadline, LOT_CANCEL | LOT_SIGNAL | LOT_RAISE | LOT_FD);
}

static EVY_COLD int park_once(struct fd *s, int fd, int dir, unsigned seq, deadline_t deadline)
{
    struct fd_wait_entry e = {.slot = s, .fd = fd, .dir = dir};
    int r = watch_once(&e);
    if (r)
        return r;
    r = park(s, dir, seq, deadline);
    unwatch_once(&e);
    return r;
}

int fd_wait_inside(struct fd *s, int fd, int dir, unsigned seq, deadline_t deadline)
{
    unsigned generation = atomic_load_explicit(&s->generation, memory_order_relaxed);
    int r = watch_ensure(s, fd);
    if (r || first_to_write(s, dir))
        return r;
    if (likely(evloop_edge_triggered(this_hub())))
        r = park(s, dir, seq, deadline);
    else
        r = park_once(s, fd, dir, seq, deadline);
    if (atomic_load_explicit(&s->generation, memory_order_relaxed) != generation)
        return -EBADF;
    return r == -EAGAIN ? 0 : r;
}

int fd_wait(struct fd *s, int fd, int dir, unsigned seq, deadline_t deadline)
{
    struct green *g = self();
    critical_enter_as(g); /* from the registration on: a signal in between ends the wait */
    return (int)critical_leave_wait(g, fd_wait_inside(s, fd, dir, seq, deadline));
}

void fd_wait_add(struct fd_wait_set *set, struct fd *s, int fd, int dir)
{
    struct fd_wait_entry *e = &set->entries[set->count++];
    e->slot = s;
    e->fd = fd;
    e->dir = dir;
    e->once = NULL;
    first_to_write(s, dir); /* the caller looks after this, and that is its second try */
    e->seq = atomic_load(&s->seq[dir]);
}

static int enqueue_all(struct fd_wait_set *set, unsigned *queued)
{
    for (*queued = 0; *queued < set->count; ++*queued) {
        struct fd_wait_entry *e = &set->entries[*queued];
        lot_enqueue(&set->waiters[*queued], &e->slot->seq[e->dir],
                    LOT_CANCEL | LOT_SIGNAL | LOT_RAISE | LOT_ALL | LOT_FD);
        int r = watch_ensure(e->slot, e->fd);
        if (!r)
            r = watch_once(e);
        if (!r && atomic_load(&e->slot->seq[e->dir]) != e->seq)
            r = -EAGAIN;
        if (r && r != -EPERM) {
            ++*queued;
            return r;
        }
    }
    return 0;
}

int fd_wait_any(struct fd_wait_set *set, deadline_t deadline)
{
    struct green *g = self();
    unsigned queued;
    critical_enter_as(g);
    int r = enqueue_all(set, &queued);
    if (!r && queued)
        r = lot_wait_any(set->waiters, queued, deadline);
    else if (!r)
        r = lot_sleep(deadline);
    for (unsigned i = 0; i < queued; i++) {
        unwatch_once(&set->entries[i]);
        lot_leave(&set->waiters[i]);
    }
    set->count = 0;
    return (int)critical_leave_wait(g, r == -EAGAIN ? 0 : r);
}
