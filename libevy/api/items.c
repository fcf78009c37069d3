#include "api/items.h"

static bool before(const struct items *q, const struct item *a, const struct item *b)
{
    int c = q->cmp(a->what, b->what);
    return c ? c < 0 : a->order < b->order;
}

static void sift_up(struct items *q, struct item new)
{
    size_t i = q->count++;
    for (; i > 0 && before(q, &new, &q->slots[(i - 1) / 2]); i = (i - 1) / 2)
        q->slots[i] = q->slots[(i - 1) / 2];
    q->slots[i] = new;
}

static void *take_root(struct items *q)
{
    void *root = q->slots[0].what;
    struct item last = q->slots[--q->count];
    size_t i = 0;
    for (size_t c = 1; c < q->count; c = 2 * i + 1) {
        if (c + 1 < q->count && before(q, &q->slots[c + 1], &q->slots[c]))
            c++;
        if (!before(q, &q->slots[c], &last))
            break;
        q->slots[i] = q->slots[c];
        i = c;
    }
    q->slots[i] = last;
    return root;
}

void items_put(struct items *q, void *what)
{
    struct item new = {what, q->order++};
    if (q->cmp)
        sift_up(q, new);
    else
        q->slots[(q->head + q->count++) & (q->room - 1)] = new;
}

void *items_take(struct items *q)
{
    if (q->cmp)
        return take_root(q);
    if (q->lifo)
        return q->slots[(q->head + --q->count) & (q->room - 1)].what;
    void *first = q->slots[q->head].what;
    q->head = (q->head + 1) & (q->room - 1);
    q->count--;
    return first;
}

struct item *items_move(struct items *q, struct item *slots, size_t room)
{
    struct item *old = q->slots;
    for (size_t i = 0; i < q->count; i++)
        slots[i] = old[(q->head + i) & (q->room - 1)];
    q->slots = slots;
    q->room = room;
    q->head = 0;
    return old;
}
