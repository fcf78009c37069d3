/* fork. glibc's works on the TCB of the calling kernel thread's own (it unlinks THREAD_SELF from its list of
   threads), so a green thread lends its kernel thread that TCB for the call. The program's pthread_atfork handlers
   run here, on the green thread's TCB, where they may take locks. Order:

     before   prepare handlers; all signals blocked; locks of libevy taken, in the order of lock_all
     parent   locks given back; mask; parent handlers
     child    locks given back; waiters, descriptors, hubs and signals forgotten: the process is alone again, with
              the forking green thread as its main thread; mask; child handlers */
#include "proc/fork.h"

#include "core/green_pool.h"
#include "proc/atfork.h"
#include "proc/own_thread.h"
#include "proc/signals.h"
#include "proc/sigstate.h"
#include "proc/sigtimer.h"

#include "base/config.h"
#include "body/critical.h"
#include "body/tcb.h"
#include "core/altstack.h"
#include "core/carrier.h"
#include "core/evloop.h"
#include "core/hub.h"
#include "core/lot.h"
#include "core/own_fd.h"
#include "core/single.h"
#include "io/blocking.h"
#include "io/fdtab.h"
#include "io/io.h"
#include "real/real.h"
#include "sync/sync.h"
#include "sync/thread.h"
#include "tp.h"

#include <errno.h>
#include <unistd.h>

static void lock_all(bool take)
{
    tcb_fork_locks(take); /* held around dl_iterate_phdr only */
    green_pool_fork_lock(take);
    green_fork_locks(take);
    stack_fork_locks(take);
    evloop_fork_locks(take);
    own_fd_fork_locks(take);
}

/* errno belongs to the TCB: read where it was written. */
static EVY_NOINLINE long fork_here(bool handlers)
{
    long pid = handlers ? REAL(fork)() : REAL(_Fork)();
    return pid < 0 ? -errno : pid;
}

/* Between the two tp_set nothing may run that keeps a thread-local address in a register. */
static EVY_NOINLINE long fork_on(uintptr_t native, bool handlers)
{
    uintptr_t own = tp_get();
    if (native == own)
        return fork_here(handlers);
    tp_set(native);
    long pid = fork_here(handlers);
    tp_set(own);
    return pid;
}

static uintptr_t forked_tp; /* the TCB that a forked child began on, when it is a green thread's */

uintptr_t fork_native_tp(void)
{
    struct green *g = self();
    uintptr_t own = tp_get();
    if (g)
        return g->hub->carrier->native_tp;
    return own == forked_tp ? hub_native_tp : own;
}

static void forget_all(uintptr_t native)
{
    lot_after_fork();
    once_after_fork();
    fdtab_forget();
    blocking_forget();
    signals_forget();
    sigtimers_forget();
    altstack_forget(self());
    names_after_fork();
    hub_native_tp = native == tp_get() ? 0 : native;
    forked_tp = hub_native_tp ? tp_get() : 0;
    if (forked_tp)
        tcb_set_tid(tcb_thread_of(forked_tp), sys_gettid());
    green_set_self(native, NULL);
    hubs_forget();
}

struct forking {
    uintptr_t native; /* glibc's TCB of the kernel thread that forks */
    uint64_t mask;    /* what the kernel blocked there before */
};

static struct forking begin(void)
{
    uint64_t all = ~UINT64_C(0);
    own_thread_for_child();
    critical_enter(); /* on a carrier of its hub, which stays */
    struct forking f = {.native = fork_native_tp()};
    fdtab_share_all();
    f.mask = sys_sigmask(SIG_SETMASK, &all);
    lock_all(true);
    return f;
}

/* In parent and child. */
static void finish(struct forking f, bool child)
{
    lock_all(false);
    if (child) {
        if (self())
            atomic_store(&self()->stranded, STRANDED_NOT); /* no monitor is left to decide */
        if (self() && config.patch & SUBSET_SIGNAL)
            f.mask = sig_mask(self());
        forget_all(f.native);
    }
    sys_sigmask(SIG_SETMASK, &f.mask);
    if (!child)
        critical_leave(); /* in the child there is no green thread any more */
}

static bool is_native(void)
{
    return hub_count == 0 && fork_native_tp() == tp_get();
}

/* Native threads may have waited in the parking lot, too. */
static long fork_native(bool handlers)
{
    bool several = !single_threaded();
    long pid = fork_here(handlers);
    if (pid == 0 && several) {
        lot_after_fork();
        once_after_fork();
    }
    return pid;
}

static long fork_threaded(bool handlers)
{
    struct forking f = begin();
    long pid = fork_on(f.native, handlers);
    finish(f, pid == 0);
    return pid;
}

static pid_t fork_any(bool handlers)
{
    size_t n = handlers ? atfork_prepare() : 0;
    long pid;
    if (is_native())
        pid = fork_native(handlers);
    else
        pid = fork_threaded(handlers);
    if (handlers && pid == 0)
        atfork_child(n);
    else if (handlers)
        atfork_parent(n);
    return (pid_t)errno_edge(pid);
}

pid_t evy_fork(void)
{
    return fork_any(true);
}

pid_t evy__Fork(void)
{
    return fork_any(false);
}

long evy_clone_bare(long number, const long *a)
{
    struct forking f = begin();
    long pid = sys_call6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    finish(f, pid == 0);
    return errno_edge(pid);
}

struct cloned {
    struct forking f;
    bool alone;        /* its maker was: f means nothing */
    int (*fn)(void *); /* the program's: the child's main thread ends with it */
    void *arg;
};

static int cloned_main(void *arg)
{
    const struct cloned *c = arg; /* the child's own copy, on the stack of who made it */
    if (!c->alone)
        finish(c->f, true);
    int status = c->fn(c->arg);
    if (hub_count)
        thread_outlast();
    _exit(status);
}

int fork_by_clone(int (*fn)(void *), void *stack, int flags, void *arg, const long *more)
{
    struct cloned c = {.fn = fn, .arg = arg, .alone = is_native()};
    if (!c.alone)
        c.f = begin();
    long pid = REAL(clone)(cloned_main, stack, flags, &c, more[0], more[1], more[2]);
    pid = pid < 0 ? -errno : pid;
    if (!c.alone)
        finish(c.f, false);
    return (int)errno_edge(pid);
}
