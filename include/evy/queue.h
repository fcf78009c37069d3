/* Queues. Getters and putters are served first come, first served: an item that is put while somebody waits goes to him
   and cannot be taken by others. All may be used by every thread, as what evy/sync.h has; timeout, EINVAL and a late kill
   likewise. Eventlet: queue. */
#ifndef EVY_QUEUE_PUBLIC_H
#define EVY_QUEUE_PUBLIC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evy_queue evy_queue;

enum {
    EVY_Q_FIFO =
        0, /* first in, first out: Eventlet's LightQueue, and Queue with task_done and join */
    EVY_Q_LIFO = 1, /* last in, first out: LifoQueue */
    EVY_Q_STDLIB =
        4 /* with one of the others: max 0 means without bound, as Python's own queues have it */
};

/* A queue for at most max items. max 0: a channel, where put waits until somebody gets; below 0: without bound. NULL with
   errno EINVAL (unknown kind), ENOMEM. */
evy_queue *evy_queue_new(long max, int kind);

/* Smallest first: cmp(a, b) < 0 puts a before b; among equal ones first in, first out. Eventlet: PriorityQueue. cmp must
   not call libevy. */
evy_queue *evy_queue_new_priority(long max, int (*cmp)(const void *a, const void *b));

/* Nobody may wait in it. The items are the caller's affair. */
void evy_queue_free(evy_queue *q);

/* Puts item. 0, or -1 with ETIMEDOUT (no room in time: the item is withdrawn), ENOMEM or what waits fail with. Switches
   only to wait for room; on a channel it always does, and who gets goes on first. */
int evy_queue_put(evy_queue *q, void *item, double timeout);

/* Never waits for room: EAGAIN. On a channel it succeeds if somebody waits for an item, and lets him have it: from a green
   thread it switches for that, in a callback of the hub not. */
int evy_queue_tryput(evy_queue *q, void *item);

/* Gets an item into *item (may be NULL). 0, or -1 with ETIMEDOUT or what waits fail with. Switches only to wait. */
int evy_queue_get(evy_queue *q, void **item, double timeout);

/* Never waits, never switches: EAGAIN. On a channel it takes from who waits to put (Eventlet's fails then). */
int evy_queue_tryget(evy_queue *q, void **item);

/* Sets the bound (below 0: none). What is in it stays, more than max perhaps; putters that have room now go on. 0 or -1
   EINVAL. */
int evy_queue_resize(evy_queue *q, long max);

long evy_queue_len(const evy_queue *q);  /* items in it */
int evy_queue_empty(const evy_queue *q); /* 1: a get would wait, but for who waits to put */
int evy_queue_full(
    const evy_queue *q); /* 1: a put would wait; a channel is always full and empty */
long evy_queue_max(const evy_queue *q);     /* bound, -1: none */
long evy_queue_getting(const evy_queue *q); /* who waits to get */
long evy_queue_putting(const evy_queue *q); /* who waits to put */

/* Each put counts a task, evy_queue_task_done counts one off: EINVAL when there is none. evy_queue_join waits until there
   is none. */
int evy_queue_task_done(evy_queue *q);
int evy_queue_join(evy_queue *q, double timeout);
long evy_queue_unfinished(const evy_queue *q);

#ifdef __cplusplus
}
#endif

#endif
