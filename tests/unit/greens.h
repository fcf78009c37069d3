/* Bare green threads for tests of the floors above the scheduler: no pthread object, no exit protocol. */
#ifndef TEST_GREENS_H
#define TEST_GREENS_H

#include "base/config.h"
#include "body/tcb.h"
#include "core/birth.h"
#include "core/hub.h"
#include "core/lot.h"
#include "core/sched.h"
#include "core/share.h"
#include "real/real.h"
#include "tp.h"

#include <check.h>

static atomic_uint greens_ended;

static inline void greens_start(unsigned hub_number)
{
    config.hubs = hub_number;
    real_resolve();
    tp_init();
    ck_assert_int_eq(tcb_discover(), 0);
    ck_assert_int_eq(hubs_start(), 0);
}

static inline void greens_off_stack(void *g)
{
    green_free(g);
    atomic_fetch_add(&greens_ended, 1);
    lot_unpark(&greens_ended, 1);
}

static inline void greens_body(struct green *g)
{
    g->start(g->arg);
    sched_end(greens_off_stack, self());
}

static inline struct green *greens_make(void *(*start)(void *), void *arg)
{
    int err;
    struct green *g = green_new(64 << 10, 4096, greens_body, &err);
    ck_assert_ptr_nonnull(g);
    g->start = start;
    g->arg = arg;
    return g;
}

static inline struct green *greens_spawn(void *(*start)(void *), void *arg)
{
    struct green *g = greens_make(start, arg);
    g->hub = share_hub_for_new();
    sched_start(g);
    return g;
}

/* Waits until n in all have ended. */
static inline void greens_join(unsigned n)
{
    unsigned ended;
    while ((ended = atomic_load(&greens_ended)) < n)
        lot_park(&greens_ended, ended, DEADLINE_NEVER, 0);
}

#endif
