#include "sync/thread.h"

#include "base/clock.h"
#include "base/config.h"
#include "body/critical.h"
#include "body/tcb.h"
#include "core/birth.h"
#include "core/hub.h"
#include "core/lot.h"
#include "core/sched.h"
#include "core/share.h"
#include "io/blocking.h"
#include "io/io.h"
#include "proc/signals.h"
#include "real/real.h"
#include "sync/attr.h"
#include "sync/cancel.h"
#include "sync/mutex_full.h"
#include "sync/runtime.h"
#include "sync/unwind.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* Nobody may ask for g any more. */
static void forget(struct green *g)
{
    if (!(atomic_load(&g->done) &
          THREAD_DETACHED)) /* of a detached one glibc says EINVAL for ever */
        tcb_mark_gone(g->thread);
    if (unlikely(g->affinity != NULL))
        free(g->affinity);
    green_free(g);
}

struct green *thread_green(pthread_t thread)
{
    if (tcb_is_green(thread))
        return green_of_thread(thread);
    return hub_count && thread == main_thread()->thread ? main_thread() : NULL;
}

static atomic_bool main_ended; /* main has called pthread_exit and waits for the others */

/* Both run on the context that follows the dead one. */
static void off_stack(void *arg)
{
    struct green *g = arg;
    atomic_store_explicit(&g->gone, true, memory_order_release); /* a joiner may free it now */
    if (unlikely(atomic_load_explicit(&main_ended, memory_order_relaxed)))
        sched_unpark(main_thread());
}

static void off_stack_detached(void *arg)
{
    forget(arg);
    if (unlikely(atomic_load_explicit(&main_ended, memory_order_relaxed)))
        sched_unpark(main_thread());
}

/* Joiners are woken before the last switch, which then can lead to one of them without a detour. */
static void thread_end(struct green *g)
{
    g->flags |= GREEN_EXITING;
    signals_last_chance(g);
    blocking_abandon(g);
    if (unlikely(g->leaving != NULL))
        g->leaving(g);
    tcb_end();
    robust_thread_ends();
    signals_retire(g);
    critical_enter_as(g); /* for ever: no joiner, however high its priority, before sched_exit */
    bool detached = atomic_fetch_or(&g->done, THREAD_DONE) & THREAD_DETACHED;
    if (!detached)
        lot_unpark_fenced(&g->done, UINT_MAX);
    sched_end(detached ? off_stack_detached : off_stack, g);
}

void thread_outlast(void)
{
    atomic_store(&main_ended, true);
    while (sched_alive() > 1) {
        critical_enter();
        sched_park(DEADLINE_NEVER);
        critical_leave();
    }
}

/* The process ends with its last thread, even when main ended earlier. */
static __attribute__((noreturn)) void main_ends(void)
{
    struct green *g = main_thread();
    tcb_end();
    if (hub_count == 0) /* alone, in the child of a fork */
        exit(0);
    robust_thread_ends();
    signals_retire(g);
    atomic_fetch_or(&g->done, THREAD_DONE);
    lot_unpark(&g->done, UINT_MAX);
    thread_outlast();
    exit(0);
}

/* <pthread.h> hides it from code compiled with exceptions. */
void __pthread_register_cancel(__pthread_unwind_buf_t *buf);

/* glibc's pthread_exit, which cancellation uses too, unwinds to the jump buffer that the TCB names: so its
   cleanup handlers and C++ destructors work as on any thread (nptl/unwind.c). */
static void thread_body(struct green *g)
{
    __pthread_unwind_buf_t unwind;
    if (likely(!__sigsetjmp_cancel(unwind.__cancel_jmp_buf, 0))) {
        __pthread_register_cancel(&unwind);
        g->result = g->start(g->arg);
    }
    struct green *me = self(); /* since a fork here this is main, or alone */
    if (unlikely(me != g))
        main_ends();
    thread_end(g);
}

static struct green *make_body(const struct thread_request *req, int *err)
{
    *err = 0;
    return req->own ? green_new_at(req->own, req->stack, thread_body, err)
                    : green_new(req->stack, req->guard, thread_body, err);
}

static void body_equip(struct green *g, const struct thread_request *req, void *(*start)(void *),
                       void *arg)
{
    g->policy = req->policy;
    g->nice = self()->nice;
    g->priority = req->priority;
    g->affinity = req->affinity;
    memcpy(g->name, self()->name, sizeof g->name);
    g->start = start;
    g->arg = arg;
    g->flags |= self()->flags & GREEN_NO_NEW_PRIVS;
    g->flags |= unlikely(req->own_sched) ? GREEN_OWN_SCHED : 0;
    atomic_store_explicit(&g->done, req->detached ? THREAD_DETACHED : 0, memory_order_relaxed);
    g->hub =
        unlikely(req->priority > 0) ? this_hub() : share_hub_for_new(); /* ranks hold in a hub */
    signals_inherit(g);
    if (unlikely(req->masked))
        signals_start_with(g, &req->sigmask);
}

int evy_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                       void *arg)
{
    struct thread_request req;
    int err = likely(hub_count) ? 0 : -runtime_start();
    if (unlikely(err && config.patch & SUBSET_THREAD))
        return EAGAIN;
    if (unlikely(!self())) /* a foreign thread's threads stay the kernel's */
        return REAL(pthread_create)(thread, attr, start, arg);
    err = thread_request_read(attr, &req);
    if (err)
        return err;
    struct green *g = make_body(&req, &err);
    if (unlikely(!g) && err == -EAGAIN) {
        sched_yield_now(); /* natively others would run on, and end */
        g = make_body(&req, &err);
    }
    if (!g) {
        free(req.affinity);
        return -err;
    }
    body_equip(g, &req, start, arg);
    *thread = g->thread;
    sched_start(g);
    if (unlikely(req.priority > self()->priority))
        sched_yield_now();
    return 0;
}

void evy_pthread_exit(void *result)
{
    struct green *g = self();
    if (g) {
        g->result = result;
        g->flags |= GREEN_EXITING;
        io_abandon();
        signals_leave_waits();
        if (g->flags & GREEN_MAIN && !unwind_end_at(main_ends))
            main_ends();
    }
    REAL(pthread_exit)(result);
    __builtin_unreachable();
}

/* As glibc sees it: whoever is about to be cancelled waits in vain for nobody. */
static bool would_deadlock(struct green *me, struct green *g)
{
    if (!me || cancel_due(me))
        return false;
    bool leaving = atomic_load(&g->interrupted) & INTERRUPT_CANCEL || g->flags & GREEN_EXITING;
    return g == me || (atomic_load(&me->joiner) == g && !leaving);
}

static int become_joiner(struct green *g)
{
    struct green *me = self(), *nobody = NULL;
    if (atomic_load(&g->done) & THREAD_DETACHED)
        return EINVAL;
    if (would_deadlock(me, g))
        return EDEADLK;
    return atomic_compare_exchange_strong(&g->joiner, &nobody, me ? me : g) ? 0 : EINVAL;
}

/* g is done; another carrier may still have to leave its stack, or to answer a note that lies in g. */
static void bury(struct green *g)
{
    while (unlikely(!atomic_load_explicit(&g->gone, memory_order_acquire) ||
                    atomic_load_explicit(&g->asked, memory_order_acquire)))
        evy_sched_yield();
    forget(g);
}

static int join_until(struct green *g, void **result, deadline_t deadline)
{
    int err = become_joiner(g);
    if (err)
        return err;
    unsigned done;
    while (!((done = atomic_load(&g->done)) & THREAD_DONE)) {
        int r = lot_park(&g->done, done, deadline, LOT_CANCEL | LOT_RAISE | LOT_JOIN);
        if (r && r != -EAGAIN) {
            atomic_store(&g->joiner, NULL);
            if (r == -ECANCELED)
                cancel_now();
            return error_edge(r);
        }
    }
    if (result)
        *result = g->result;
    if (!(g->flags & GREEN_MAIN))
        bury(g);
    return 0;
}

int evy_pthread_join(pthread_t thread, void **result)
{
    struct green *g = thread_green(thread);
    return g ? join_until(g, result, DEADLINE_NEVER) : REAL(pthread_join)(thread, result);
}

int evy_pthread_tryjoin_np(pthread_t thread, void **result)
{
    struct green *g = thread_green(thread);
    if (!g)
        return REAL(pthread_tryjoin_np)(thread, result);
    if (!(atomic_load(&g->done) & THREAD_DONE))
        return EBUSY;
    return join_until(g, result, DEADLINE_NEVER);
}

int evy_pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock,
                             const struct timespec *at)
{
    deadline_t deadline;
    struct green *g = thread_green(thread);
    if (!g)
        return REAL(pthread_clockjoin_np)(thread, result, clock, at);
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    if (!at)
        return join_until(g, result, DEADLINE_NEVER);
    int r = deadline_from_abs(clock, at, &deadline);
    if (r && !(atomic_load(&g->done) & THREAD_DONE))
        return -r;
    return join_until(g, result, deadline);
}

int evy_pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *at)
{
    return evy_pthread_clockjoin_np(thread, result, CLOCK_REALTIME, at);
}

int evy_pthread_detach(pthread_t thread)
{
    struct green *g = thread_green(thread);
    if (!g)
        return REAL(pthread_detach)(thread);
    struct green *nobody = NULL;
    if (!atomic_compare_exchange_strong(&g->joiner, &nobody, g)) /* one who joins it frees it */
        return atomic_load(&g->done) & THREAD_DETACHED ? EINVAL : 0;
    unsigned old = atomic_fetch_or(&g->done, THREAD_DETACHED);
    if (old & THREAD_DETACHED)
        return EINVAL;
    if (old & THREAD_DONE && !(g->flags & GREEN_MAIN))
        bury(g);
    return 0;
}

int evy_sched_yield(void)
{
    if (!self())
        return REAL(sched_yield)();
    sched_yield_now();
    return 0;
}
