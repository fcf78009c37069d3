/* Green threads of the explicit API: struct green, seen from there. */
#ifndef EVY_API_GT_H
#define EVY_API_GT_H

#include "api/api.h"
#include "sync/thread.h"

/* In green->done, beside pthreads' bits. Written on its hub's carrier only. */
enum {
    GT_ENDED = THREAD_DONE, /* result and error are valid: who waits goes on */
    GT_DEAD = 8,            /* all is done; its memory may go with the last reference */
    GT_STARTED = 16,        /* has begun to run */
    GT_NO_RESULT = 32,      /* nobody may wait for it (spawn_n) */
    GT_DELAYED = 64,        /* waits for its time (spawn_after): in no run queue */
};

static inline struct green *green_of(evy_gt *g)
{
    return (struct green *)g;
}

static inline evy_gt *handle_of(struct green *g)
{
    return (evy_gt *)g;
}

static inline bool gt_is(const struct green *g, unsigned state)
{
    return atomic_load_explicit(&g->done, memory_order_acquire) & state;
}

static inline void gt_set(struct green *g, unsigned state)
{
    unsigned done = atomic_load_explicit(&g->done, memory_order_relaxed);
    atomic_store_explicit(&g->done, done | state, memory_order_release);
}

/* Whether evy_spawn & co. made it. */
static inline bool gt_is_ours(const struct green *g)
{
    return g && atomic_load_explicit(&g->gt.refs, memory_order_relaxed);
}

/* One that is ready to be started by gt_run. state: GT_NO_RESULT or 0. NULL with errno set. */
struct green *gt_make(const evy_attr *attr, unsigned state, evy_fn fn, void *arg);
void gt_run(struct green *g);

/* g, of the caller's hub, has not begun and never will: it ends here. */
void gt_end_unstarted(struct green *g, int err);

/* g, which never ran, ends with what somebody else got by calling its function. */
void gt_finish_inline(struct green *g, void *result);

/* g, a member of a pool, has ended. */
void pool_member_ends(struct green *g);

/* Calls and empties g's links. */
void links_run(struct green *g);

/* Runs the destructors of g's locals, which is the running one or has not begun. */
void locals_end(struct green *g);

#endif
