/* The monitor has seen nothing run for a while. A deadlock it is when nobody else is there who could wake a green
 * thread: no other kernel thread, no timer, no descriptor, no call into the kernel. Whatever cannot be told apart from
 * a wait that the outside may end keeps us silent; only signal handlers are named instead, for almost every program
 * has some. The look is taken on the loop of hub 0. Each thread tells by itself where it waits: it is woken, finds
 * that for no reason, and waits again. */
#include "sync/deadlock.h"

#include "base/log.h"
#include "base/sys.h"
#include "body/tcb.h"
#include "core/bucket.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "core/monitor.h"
#include "core/own_fd.h"
#include "core/sched.h"
#include "io/fdtab.h"
#include "real/real.h"
#include "sync/words.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define FRAMES 32
#define NEAR 4096 /* a word this close to its waiter lies in a frame near by */

static struct hub_call
    look; /* posted at most once at a time: the monitor waits for new activity in between */
static bool reported; /* hub 0's loop */

/* The 20th word of the line, the 18th behind the name. */
static unsigned kernel_threads(void)
{
    char text[512];
    OWN_FDS_PASSING(sys_read_text("/proc/self/stat", text, sizeof text));
    char *at = strrchr(text, ')');
    for (int i = 0; at && i < 18; i++)
        at = strchr(at + 1, ' ');
    return at ? (unsigned)strtoul(at, NULL, 10) : 0;
}

static bool hubs_rest(void)
{
    for (unsigned i = 0; i < hub_count; i++)
        if (hubs[i].timers.count || hubs[i].runnable.first || hubs[i].after_poll.first ||
            (i && !atomic_load(&hubs[i].asleep)))
            return false;
    return true;
}

static bool of_descriptor(const void *addr)
{
    for (size_t i = 0; i < FD_CHUNKS; i++) {
        const struct fd *chunk = atomic_load_explicit(&fd_chunks[i], memory_order_relaxed);
        if (chunk && (const struct fd *)addr >= chunk &&
            (const struct fd *)addr < chunk + FD_CHUNK_SLOTS)
            return true;
    }
    return false;
}

/* The linker's: where this library begins and ends. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static bool in_libevy(const void *addr)
{
    return (const char *)addr >= __ehdr_start && (const char *)addr < _end;
}

/* pause, sigwait and their like wait at a word of their own. */
static bool for_signal(const struct waiter *w)
{
    const void *addr = waiter_addr(w);
    bool near = (uintptr_t)addr - (uintptr_t)w + NEAR < 2 * (uintptr_t)NEAR;
    return atomic_load(&w->green->sigwaits) || (w->flags & LOT_SIGNAL && (near || in_libevy(addr)));
}

static bool only_others_wake(const struct waiter *w)
{
    return w->green && !of_descriptor(waiter_addr(w)) && !for_signal(w);
}

/* Calls fn for every waiter until one answers false. */
static bool each_waiter(bool (*fn)(const struct waiter *))
{
    for (size_t i = 0; i < array_len(buckets); i++) {
        struct bucket *b = &buckets[i];
        if (atomic_load_explicit(&b->word, memory_order_relaxed) == 0)
            continue;
        bool ok = true;
        bucket_lock(b);
        list_for_each (node, &b->queue)
            ok = ok && fn(list_entry(node, struct waiter, node));
        bucket_unlock(b, 0);
        if (!ok)
            return false;
    }
    return true;
}

static unsigned found;

static bool may_be_stuck(const struct waiter *w)
{
    found++;
    return only_others_wake(w);
}

static bool wake_to_report(const struct waiter *w)
{
    atomic_fetch_or(&w->green->interrupted, INTERRUPT_REPORT);
    sched_unpark(w->green);
    return true;
}

static void look_for_deadlock(struct hub_call *unused)
{
    (void)unused;
    found = 0;
    if (reported || !hubs_rest() || !carriers_rest(kernel_threads()) ||
        !each_waiter(may_be_stuck) || !found)
        return;
    reported = true;
    log_info("deadlock: each of %u threads waits for another, nothing has run for 0.1 s, and only "
             "a signal's handler could "
             "wake one",
             found);
    each_waiter(wake_to_report);
}

static void on_quiet(void)
{
    look.fn = look_for_deadlock;
    hub_post_call(&hubs[0], &look);
}

/* What a thread tells */

static const char *name_of(const struct green *g)
{
    return g->flags & GREEN_MAIN ? "main" : g->name[0] ? g->name : "unnamed";
}

static const void *sought; /* end_of's argument: green_each is not reentrant */
static const struct green *ending;

static bool is_end(struct green *g, void *unused)
{
    (void)unused;
    ending = &g->done == sought ? g : NULL;
    return !ending;
}

/* Whose end that word tells of, NULL when it is none. */
static const struct green *end_of(const void *addr)
{
    sought = addr;
    ending = NULL;
    green_each(is_end, NULL);
    return ending;
}

/* "symbol+0x10 (object)" or "object+0x10" or the bare address. */
static void describe(const void *addr, char *text, size_t n)
{
    Dl_info info;
    if (!dladdr(addr, &info) || !info.dli_fname)
        snprintf(text, n, "%p", addr);
    else if (info.dli_sname)
        snprintf(text, n, "%s+%#tx (%s)", info.dli_sname,
                 (const char *)addr - (const char *)info.dli_saddr, info.dli_fname);
    else
        snprintf(text, n, "%s+%#tx", info.dli_fname,
                 (const char *)addr - (const char *)info.dli_fbase);
}

/* The tid in the word where a mutex names its owner, if that is a green thread's or main's. */
static int holder(const void *addr)
{
    int tid = 0;
    struct iovec to = {&tid, sizeof tid};
    struct iovec from = {(char *)(uintptr_t)addr + offsetof(struct mutex, owner), sizeof tid};
    sys_call6(SYS_process_vm_readv, sys3(SYS_getpid, 0, 0, 0), (long)&to, 1, (long)&from, 1, 0);
    return tid >= TID_INVENTED_MIN || tid == tcb_tid(main_thread()->thread) ? tid : 0;
}

static void tell_what(const struct green *g, const void *addr)
{
    char what[256];
    const struct green *other = end_of(addr);
    int tid = other ? 0 : holder(addr);
    describe(addr, what, sizeof what);
    if (other)
        log_info("  thread %d (%s) waits for the end of thread %d (%s)", tcb_tid(g->thread),
                 name_of(g), tcb_tid(other->thread), name_of(other));
    else if (tid)
        log_info("  thread %d (%s) waits for %s, held by thread %d", tcb_tid(g->thread), name_of(g),
                 what, tid);
    else
        log_info("  thread %d (%s) waits for %s", tcb_tid(g->thread), name_of(g), what);
}

/* The frames of the program: between libevy's call that waits and libevy's that has started the thread. */
static void tell_where(void)
{
    void *frames[FRAMES];
    char where[256];
    int n = backtrace(frames, FRAMES), i = 0;
    while (i < n && in_libevy(frames[i]))
        i++;
    for (; i < n && !in_libevy(frames[i]); i++) {
        describe(frames[i], where, sizeof where);
        log_info("    at %s", where);
    }
}

static void report(const struct waiter *w)
{
    tell_what(w->green, waiter_addr(w));
    tell_where();
}

void deadlock_start(void)
{
    if (log_level < LOG_INFO)
        return;
    lot_report = report;
    monitor_quiet = on_quiet;
}
