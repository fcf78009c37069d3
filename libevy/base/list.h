/* Intrusive doubly linked ring with a head that is itself a node. */
#ifndef EVY_LIST_H
#define EVY_LIST_H

#include "base/base.h"

struct list {
    struct list *next; /* first node, or the head itself when empty */
    struct list *prev; /* last node, or the head itself when empty */
};

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->next = head;
    node->prev = head->prev;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
}

/* Moves all nodes of from behind those of to. */
static inline void list_move_all(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)

#define list_for_each(node, head)                                                                  \
    for (struct list *node = (head)->next; node != (head); node = node->next)

/* The body may remove (and free) the current node. */
#define list_for_each_safe(node, head)                                                             \
    for (struct list *node = (head)->next, *next_##node = node->next; node != (head);              \
         node = next_##node, next_##node = node->next)

#endif
