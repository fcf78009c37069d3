#include "base/timers.h"

#include "base/sys.h"

#include <errno.h>
#include <sys/mman.h>

#define ARITY 4
#define FIRST_BYTES 4096

static bool earlier(const struct timer_slot *a, const struct timer_slot *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct timers *ts, size_t i, const struct timer_slot *slot)
{
    ts->heap[i] = *slot;
    slot->timer->index = i + 1;
}

/* Moves the hole at i towards the root until slot may fill it. */
static void sift_up(struct timers *ts, size_t i, const struct timer_slot *slot)
{
    while (i > 0) {
        size_t parent = (i - 1) / ARITY;
        if (!earlier(slot, &ts->heap[parent]))
            break;
        put(ts, i, &ts->heap[parent]);
        i = parent;
    }
    put(ts, i, slot);
}

static size_t earliest_child(const struct timers *ts, size_t i)
{
    size_t first = i * ARITY + 1, best = first;
    size_t end = first + ARITY < ts->count ? first + ARITY : ts->count;
    for (size_t c = first + 1; c < end; c++) {
        if (earlier(&ts->heap[c], &ts->heap[best]))
            best = c;
    }
    return best;
}

/* Moves the hole at i towards the leaves until slot may fill it. */
static void sift_down(struct timers *ts, size_t i, const struct timer_slot *slot)
{
    while (i * ARITY + 1 < ts->count) {
        size_t child = earliest_child(ts, i);
        if (!earlier(&ts->heap[child], slot))
            break;
        put(ts, i, &ts->heap[child]);
        i = child;
    }
    put(ts, i, slot);
}

static int grow(struct timers *ts)
{
    size_t old = align_up(ts->capacity * sizeof *ts->heap, FIRST_BYTES);
    size_t bytes = old ? old * 2 : FIRST_BYTES;
    long map;
    if (old)
        map = sys_call6(SYS_mremap, (long)ts->heap, (long)old, (long)bytes, MREMAP_MAYMOVE, 0, 0);
    else
        map = sys_call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map < 0)
        return -ENOMEM;
    ts->heap = (struct timer_slot *)map;
    ts->capacity = bytes / sizeof *ts->heap;
    return 0;
}

int timers_add(struct timers *ts, struct timer *t, deadline_t at)
{
    if (unlikely(ts->count == ts->capacity) && grow(ts) < 0)
        return -ENOMEM;
    t->at = at;
    struct timer_slot slot = {.at = at, .order = ts->order++, .timer = t};
    sift_up(ts, ts->count++, &slot);
    return 0;
}

void timers_remove(struct timers *ts, struct timer *t)
{
    if (t->index == 0)
        return;
    size_t hole = t->index - 1;
    t->index = 0;
    struct timer_slot last = ts->heap[--ts->count];
    if (hole == ts->count)
        return;
    if (hole > 0 && earlier(&last, &ts->heap[(hole - 1) / ARITY]))
        sift_up(ts, hole, &last);
    else
        sift_down(ts, hole, &last);
}

struct timer *timers_pop(struct timers *ts, int64_t now)
{
    if (timers_next(ts) > now || ts->count == 0)
        return NULL;
    struct timer *t = ts->heap[0].timer;
    timers_remove(ts, t);
    return t;
}
