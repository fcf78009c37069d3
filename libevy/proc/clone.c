#include "proc/clone.h"

#include "base/config.h"
#include "base/sys.h"
#include "body/green.h"
#include "body/tcb.h"
#include "core/birth.h"
#include "core/lot.h"
#include "io/io.h"
#include "proc/exec.h"
#include "proc/fork.h"
#include "real/real.h"
#include "sync/thread.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/single_threaded.h>

/* At the top of the new stack. */
struct beginning {
    int (*fn)(void *);
    void *arg;
    struct green *body; /* whose TCB it runs on */
};

static struct green *ended; /* bodies whose kernel threads are about to end, by pool_next; atomic */

/* From the store that gives the body away on nothing may touch it: it is the running one's TCB. */
static __attribute__((noreturn)) void leave(struct green *body, int status)
{
    struct green *next = __atomic_load_n(&ended, __ATOMIC_RELAXED);
    do
        body->pool_next = next;
    while (!__atomic_compare_exchange_n(&ended, &next, body, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
    for (;;)
        sys_call6(SYS_exit, status, 0, 0, 0, 0, 0);
}

static int begin(void *at)
{
    const struct beginning *b = at;
    tcb_begin();
    tcb_set_tid(b->body->thread, sys_gettid());
    leave(b->body, b->fn(b->arg));
}

static void free_ended(void)
{
    struct green *next, *g = __atomic_exchange_n(&ended, NULL, __ATOMIC_ACQUIRE);
    for (; g; g = next) {
        next = g->pool_next;
        green_free(g);
    }
}

static void never(struct green *g)
{
    (void)g;
}

static struct green *make_body(void)
{
    int err;
    free_ended();
    struct green *g = green_new(PTHREAD_STACK_MIN, 0, never, &err);
    if (!g)
        return NULL;
    green_set_self(g->tp, NULL);
    atomic_store(&g->done, THREAD_DONE); /* to observers */
    return g;
}

/* glibc does not see it: to it the process may still have one thread. */
static void expect_others(void)
{
    __libc_single_threaded = 0;
    lot_share();
}

static int clone_thread(int (*fn)(void *), void *stack, int flags, void *arg, const long *words)
{
    expect_others();
    if (!self() || flags & CLONE_SETTLS)
        return REAL(clone)(fn, stack, flags, arg, words[0], words[1], words[2]);
    struct beginning *b = (struct beginning *)align_down((char *)stack, 64) - 1;
    *b = (struct beginning){.fn = fn, .arg = arg, .body = make_body()};
    if (!b->body)
        return (int)errno_edge(-EAGAIN);
    int r = REAL(clone)(begin, b, flags | CLONE_SETTLS, b, words[0], b->body->tp, words[2]);
    if (r < 0)
        green_free(b->body);
    return r;
}

/* As a child of vfork. */
static int clone_stopping(int (*fn)(void *), void *stack, int flags, void *arg, const long *words)
{
    struct green *g = evy_vfork_begin();
    long r = REAL(clone)(fn, stack, flags, arg, words[0], words[1], words[2]);
    return evy_vfork_end(g, r < 0 ? -errno : r);
}

int evy_clone(int (*fn)(void *), void *stack, int flags, void *arg, const long *words)
{
    if (fn && stack && forks((unsigned)flags))
        return fork_by_clone(fn, stack, flags, arg, words);
    if (fn && stack && (flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM &&
        config.patch & SUBSET_THREAD)
        return clone_thread(fn, stack, flags, arg, words);
    if (self() && (flags & (CLONE_VM | CLONE_VFORK | CLONE_SETTLS)) == (CLONE_VM | CLONE_VFORK))
        return clone_stopping(fn, stack, flags, arg, words);
    return REAL(clone)(fn, stack, flags, arg, words[0], words[1], words[2]);
}
