/* Fetching ahead what the next turns need. */
#include "core/sched.h"

#include "core/hub.h"
#include "tp.h"

/* gcc takes a function that only prefetches for one without effect, and drops calls of it: not with an asm in it. */
static inline void fetch(const void *line)
{
    __builtin_prefetch(line, 1);
    __asm__ volatile("");
}

/* What a switch back reads: frames from context_switch up to the call that waited, and the two hot lines of a
   descriptor. Frames are not known before the descriptor is there. */
static EVY_INLINE void expect_frames(const struct green *g, int lines)
{
#pragma GCC unroll 16
    for (int i = 0; i < lines; i++)
        fetch((const char *)g->ctx.sp + (ptrdiff_t)i * CACHE_LINE);
    fetch((const char *)g->tp + ((uintptr_t)&self_green - tp_get()));
}

static inline void expect_descriptor(const struct green *g)
{
    fetch(g);
    fetch((const char *)g + CACHE_LINE);
}

#define LINES_TO_IO 12  /* a call that waited for I/O */
#define LINES_TO_WAIT 8 /* for a lock or a condition */
#define LINES_TO_YIELD 3

void sched_expect_next(void)
{
    struct hub *h = self()->hub;
    const struct inbox_node *first = h->runnable.first;
    if (!first)
        return;
    h->expects = true;
    expect_frames(container_of(first, struct green, link), LINES_TO_IO);
    if (first->next)
        expect_descriptor(container_of(first->next, struct green, link));
}

/* A turn may be shorter than a miss: frames are fetched two turns ahead, descriptors four. */
void sched_expect_crowd(struct hub *h)
{
    const struct inbox_node *node = h->runnable.first;
    bool expects = h->expects;
    h->expects = false;
    if (expects || !node || !(node = node->next))
        return;
    const struct green *g = container_of(node, struct green, link);
    expect_frames(g, g->wake == WAKE_NOTIFIED ? LINES_TO_WAIT : LINES_TO_YIELD);
    if ((node = node->next) && (node = node->next))
        expect_descriptor(container_of(node, struct green, link));
}
