/* futex_waitv: a wait at several words at once, each of which may be private or not. */
#include "arch/probe.h"
#include "base/clock.h"
#include "base/sys.h"
#include "body/critical.h"
#include "body/green.h"
#include "core/lot.h"
#include "io/blocking.h"
#include "io/io.h"
#include "proc/signals.h"
#include "sync/futex.h"

#include <errno.h>
#include <stdlib.h>

#define LOOK (NSEC_PER_SEC / 500) /* how often words are looked at that others may change */

struct call {
    const struct futex_waitv *words;
    unsigned count;
    deadline_t deadline;
    unsigned foreign; /* how many of them other processes may wake, too */
};

static const atomic_uint *word_of(const struct futex_waitv *v)
{
    return (const atomic_uint *)(uintptr_t)v->uaddr;
}

static bool has_changed(const struct futex_waitv *v)
{
    return atomic_load(word_of(v)) != (unsigned)v->val;
}

/* Queues first, then looks. Returns 0 or -EAGAIN; *queued counts those in a queue. */
static int enqueue_all(const struct call *c, struct waiter *w, unsigned *queued)
{
    for (*queued = 0; *queued < c->count;) {
        const struct futex_waitv *v = &c->words[*queued];
        lot_enqueue(&w[(*queued)++], word_of(v), LOT_SIGNAL | LOT_FUTEX);
        if (has_changed(v))
            return -EAGAIN;
    }
    return 0;
}

/* Which was woken, else r. */
static int leave_all(struct waiter *w, unsigned queued, int r)
{
    for (unsigned i = 0; i < queued; i++) {
        if (!lot_leave(&w[i]))
            r = (int)i;
    }
    return r;
}

static int wait_until(const struct call *c, struct waiter *w, deadline_t deadline)
{
    struct green *g = self();
    unsigned queued;
    critical_enter_as(g);
    int r = enqueue_all(c, w, &queued);
    if (r == 0)
        r = lot_wait_any(w, queued, deadline);
    return (int)critical_leave_wait(g, leave_all(w, queued, r));
}

/* Which of those that others may change has changed, else r. */
static int seen(const struct call *c, int r)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (has_changed(&c->words[i]))
            return (int)i;
    }
    return r;
}

static int wait_looking(const struct call *c, struct waiter *w)
{
    int r;
    deadline_t next;
    do {
        next = c->foreign ? deadline_after(LOOK) : DEADLINE_NEVER;
        r = wait_until(c, w, next < c->deadline ? next : c->deadline);
        if (r == -EAGAIN && next != DEADLINE_NEVER)
            r = seen(c, r);
    } while (r == -ETIMEDOUT && next < c->deadline);
    return r;
}

/* A handler with SA_RESTART does not end the wait, as in the kernel. */
static long wait_words(const struct call *c)
{
    struct green *g = self();
    struct waiter *w = malloc(c->count * sizeof *w);
    unsigned breaks = g->breaks;
    int r = w ? 0 : -ENOMEM;
    while (w && (r = wait_looking(c, w)) == -EINTR && signals_deliver() && g->breaks == breaks)
        ;
    free(w);
    return r;
}

static bool is_good(const struct futex_waitv *v)
{
    const void *word = (const void *)(uintptr_t)v->uaddr;
    return (v->flags & ~(unsigned)FUTEX_PRIVATE_FLAG) == FUTEX_32 && !v->__reserved &&
           v->val >> 32 == 0 && (v->uaddr & 3) == 0 && probe(word, sizeof(atomic_uint));
}

/* Others are for the kernel to refuse. */
static bool read_call(const long *a, struct call *c)
{
    const struct timespec *at = (const struct timespec *)a[3];
    clockid_t clock = (clockid_t)a[4];
    c->words = (const struct futex_waitv *)a[0];
    c->count = (unsigned)a[1];
    c->deadline = DEADLINE_NEVER;
    c->foreign = 0;
    if (!c->words || !c->count || c->count > FUTEX_WAITV_MAX || (unsigned)a[2] ||
        !probe(c->words, c->count * sizeof *c->words) || !probe_given(at, sizeof *at))
        return false;
    for (unsigned i = 0; i < c->count; i++) {
        if (!is_good(&c->words[i]))
            return false;
        c->foreign +=
            !(c->words[i].flags & FUTEX_PRIVATE_FLAG) && futex_others_have(word_of(&c->words[i]));
    }
    return !at || ((clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) &&
                   deadline_from_abs(clock, at, &c->deadline) == 0);
}

static long kernel(const long *a)
{
    return sys_call6(SYS_futex_waitv, a[0], a[1], a[2], a[3], a[4], 0);
}

long evy_futex_waitv(const long args[6])
{
    struct call c;
    if (!read_call(args, &c))
        return errno_edge(kernel(args));
    if (c.foreign == c.count)
        return BLOCKING(PLAIN, long, errno_edge(kernel(args)));
    return errno_edge(wait_words(&c));
}
