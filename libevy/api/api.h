/* What every file of the explicit API begins and ends with. */
#ifndef EVY_API_COMMON_H
#define EVY_API_COMMON_H

#include "base/base.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/spin.h"
#include "body/critical.h"
#include "body/green.h"
#include "core/lot.h"

#include <evy/thread.h>

#include <errno.h>

/* The running green thread; starts the runtime first if need be. NULL with errno set. */
EVY_COLD struct green *api_start(void);

static inline struct green *api_self(void)
{
    struct green *g = self();
    return likely(g != NULL) ? g : api_start();
}

/* -errno when the caller may not wait: -EDEADLK in the hub's callbacks, -EPERM & co. where nothing can be started. Threads
   that libevy does not run may wait for objects once it runs. */
int api_may_wait(void);

/* Sets *d. Returns 0, or -EINVAL for NaN. */
int api_deadline(double seconds, deadline_t *d);

/* Waits while *word == expected. Returns 0 (perhaps for nothing: look again) or -errno, -ERAISED among them. A deadline
   that has passed lets everybody else run once. */
int api_wait(const atomic_uint *word, unsigned expected, deadline_t d);

/* r is a result or -errno; as errno_edge, and acts on a pthread_cancel that has ended the wait. */
int api_edge(long r);

/* Objects of the API may be used by every thread, libevy's or not: each has a lock, held for a few instructions. */
static inline void object_lock(struct spin *lock)
{
    critical_enter();
    spin_lock(lock);
}

static inline void object_unlock(struct spin *lock)
{
    spin_unlock(lock);
    critical_leave();
}

/* A place in an object's queue of waiters, served first come, first served. The queue's lock protects it. */
struct turn {
    struct list node;   /* in the queue until served */
    atomic_uint served; /* set by who has taken it out of the queue */
    void *item;         /* what it brings, or what it was given */
    int err;            /* or the error it was given, 0: none */
};

/* With the lock held: joins the end of the queue, releases the lock, waits to be served. Returns 0 with the lock
   released, or -errno with the lock held and t out of the queue. */
int turn_wait(struct list *queue, struct spin *lock, struct turn *t, deadline_t d);

/* With the lock held and the queue not empty: takes the first out. Once the lock is released turn_call wakes it. */
struct turn *turn_first(const struct list *queue);
const atomic_uint *turn_serve(struct turn *t);
void turn_call(const atomic_uint *served);

/* With the lock held: serves all who wait now, each with item and err, and releases the lock. */
void turns_serve_all(struct list *queue, struct spin *lock, void *item, int err);

#endif
