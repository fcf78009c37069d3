/* Many producers, one consumer: producers push in any order, the consumer takes everything at once
   and sees it oldest first. Lock-free, usable from signal handlers. */
#ifndef EVY_INBOX_H
#define EVY_INBOX_H

#include "base/base.h"

#include <stdatomic.h>

struct inbox_node {
    struct inbox_node *next; /* owned by the inbox until taken */
};

struct inbox {
    _Atomic(struct inbox_node *) newest; /* stack of pushed nodes */
};

static inline void inbox_push(struct inbox *in, struct inbox_node *node)
{
    struct inbox_node *old = atomic_load_explicit(&in->newest, memory_order_relaxed);
    do
        node->next = old;
    while (!atomic_compare_exchange_weak_explicit(&in->newest, &old, node, memory_order_seq_cst,
                                                  memory_order_relaxed));
}

static inline bool inbox_empty(struct inbox *in)
{
    return atomic_load_explicit(&in->newest, memory_order_seq_cst) == NULL;
}

/* All nodes pushed so far, oldest first, linked by next. */
static inline struct inbox_node *inbox_take(struct inbox *in)
{
    if (atomic_load_explicit(&in->newest, memory_order_relaxed) == NULL)
        return NULL;
    struct inbox_node *node = atomic_exchange_explicit(&in->newest, NULL, memory_order_acquire);
    struct inbox_node *oldest = NULL;
    while (node) {
        struct inbox_node *next = node->next;
        node->next = oldest;
        oldest = node;
        node = next;
    }
    return oldest;
}

#endif
