/* The items of a queue, in the order of its kind. Not locked: the queue's lock protects it. */
#ifndef EVY_API_ITEMS_H
#define EVY_API_ITEMS_H

#include "base/base.h"

struct item {
    void *what;
    uint64_t order; /* counts up: first in, first out among equal ones */
};

struct items {
    struct item *slots; /* a ring, or a heap with its root at 0; malloc */
    size_t room;        /* slots, a power of two, or 0 */
    size_t head;        /* first of the ring; 0 in a heap */
    size_t count;       /* items */
    uint64_t order;     /* of the next item */
    bool lifo;
    int (*cmp)(const void *, const void *); /* a heap when not NULL */
};

/* There is room: items_room > count. */
void items_put(struct items *q, void *what);
void *items_take(struct items *q); /* there is one */

/* Moves q into slots for room more; frees nothing: returns the old slots. */
struct item *items_move(struct items *q, struct item *slots, size_t room);

#endif
