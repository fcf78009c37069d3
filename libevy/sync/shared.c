#include "sync/shared.h"

#include "base/spin.h"
#include "base/sys.h"
#include "body/critical.h"
#include "body/tcb.h"
#include "core/hub.h"
#include "core/lot.h"
#include "core/monitor.h"
#include "proc/signals.h"
#include "tp.h"

#include <errno.h>
#include <limits.h>

/* The watcher sleeps on all watched words at once, as one waiter of each. Woken for a word, it wakes one green
   thread that waits for it; the woken one finds out what has happened, and watches again if it must wait on.
   A wake-up that nobody here can use is handed on to another process. A word stays watched until it wakes the
   watcher, also when nobody waits any more; who is the first to wait again has it looked at anew, since what is
   mapped at its address may be another object by now. */
struct watch {
    const atomic_uint *addr;
    unsigned value;   /* the last waiter found it so */
    unsigned waiters; /* shared_wait calls under way */
    unsigned id;      /* tells it from an earlier one of the same word */
};

#define MOST (FUTEX_WAITV_MAX - 1)

static struct watch watches[MOST]; /* watch_lock */
static unsigned watch_count;       /* watch_lock */
static unsigned last_id;           /* never 0 in a watch; watch_lock */
static bool unavailable;           /* no FUTEX_WAITV, so everybody polls; watch_lock */
static atomic_bool started;        /* somebody has seen to the watcher */
static atomic_uint news;           /* grows when watches has changed: ends the watcher's sleep */
static struct spin watch_lock;     /* nests inside nothing */

static long futex(const void *addr, int op, unsigned value, const struct timespec *limit)
{
    return sys_call6(SYS_futex, (long)addr, op, value, (long)limit, 0,
                     (long)FUTEX_BITSET_MATCH_ANY);
}

/* In the child of a fork a green thread goes on as the process's first: its TCB has that one's tid. */
uintptr_t shared_thread(void)
{
    uintptr_t own = tcb_thread_of(tp_get());
    if (hub_native_tp) {
        uintptr_t first = tcb_thread_of(hub_native_tp);
        return self() || tcb_tid(own) == tcb_tid(first) ? first : own;
    }
    return self() ? main_thread()->thread : own;
}

bool shared_is_native(void)
{
    return !self() && !tcb_is_green(tcb_thread_of(tp_get()));
}

static struct watch *find(const atomic_uint *addr)
{
    for (unsigned i = 0; i < watch_count; i++) {
        if (watches[i].addr == addr)
            return &watches[i];
    }
    return NULL;
}

static struct watch *free_place(void)
{
    if (watch_count < MOST)
        return &watches[watch_count++];
    for (unsigned i = 0; i < MOST; i++) {
        if (watches[i].waiters == 0)
            return &watches[i];
    }
    return NULL;
}

/* Returns the watch's id, 0 when there is no room. *changed: the watcher must be told. */
static unsigned enter(const atomic_uint *addr, unsigned value, bool *changed)
{
    struct watch *w = find(addr);
    *changed = !w || w->waiters == 0 || w->value != value;
    if (!w) {
        w = free_place();
        if (!w)
            return 0;
        w->waiters = 0;
        w->id = ++last_id ? last_id : ++last_id;
    }
    w->addr = addr;
    w->value = value;
    w->waiters++;
    return w->id;
}

static unsigned watch(const atomic_uint *addr, unsigned value)
{
    bool changed = false;
    spin_lock(&watch_lock);
    unsigned id = unavailable ? 0 : enter(addr, value, &changed);
    spin_unlock(&watch_lock);
    if (changed && id) {
        atomic_fetch_add(&news, 1);
        sys_futex_wake(&news, 1);
    }
    return id;
}

static void unwatch(const atomic_uint *addr, unsigned id)
{
    critical_enter();
    spin_lock(&watch_lock);
    struct watch *w = find(addr);
    if (w && w->id == id)
        w->waiters--;
    spin_unlock(&watch_lock);
    critical_leave();
}

/* There may be news of the word: its waiters look, and watch it anew. The wake-up of a word that none of ours
   waits for belongs to another process; one too many does no harm there. */
static void rouse(const atomic_uint *addr)
{
    signals_let_in();
    spin_lock(&watch_lock);
    struct watch *w = find(addr);
    if (w)
        *w = watches[--watch_count];
    spin_unlock(&watch_lock);
    if (lot_unpark(addr, UINT_MAX) == 0)
        futex(addr, FUTEX_WAKE, 1, NULL);
}

/* A word that nobody waits for any more may be unmapped: only the kernel looks at it. */
static bool has_changed(const struct futex_waitv *v)
{
    const struct timespec now = {0, 0};
    return futex((const void *)v->uaddr, FUTEX_WAIT, (unsigned)v->val, &now) != -ETIMEDOUT;
}

static unsigned list_words(struct futex_waitv *v)
{
    unsigned n = 1;
    v[0] = (struct futex_waitv){.val = atomic_load(&news),
                                .uaddr = (uintptr_t)&news,
                                .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
    spin_lock(&watch_lock);
    for (unsigned i = 0; i < watch_count; i++, n++)
        v[n] = (struct futex_waitv){
            .val = watches[i].value, .uaddr = (uintptr_t)watches[i].addr, .flags = FUTEX_32};
    spin_unlock(&watch_lock);
    return n;
}

/* When several words are woken at once the kernel names one: the others are found changed at the next call. */
static void *watcher(void *unused)
{
    struct futex_waitv v[FUTEX_WAITV_MAX];
    for (;;) {
        unsigned n = list_words(v);
        long r = sys_call6(SYS_futex_waitv, (long)v, n, 0, 0, 0, 0);
        if (r > 0)
            rouse((const atomic_uint *)v[r].uaddr);
        for (unsigned i = 1; r < 0 && i < n; i++) {
            if (has_changed(&v[i]))
                rouse((const atomic_uint *)v[i].uaddr);
        }
    }
    return unused;
}

static EVY_COLD void start(void)
{
    bool possible = sys_call6(SYS_futex_waitv, 0, 0, 0, 0, 0, 0) != -ENOSYS &&
                    kernel_thread(watcher, NULL) == 0;
    critical_enter();
    spin_lock(&watch_lock);
    unavailable = !possible;
    spin_unlock(&watch_lock);
    critical_leave();
}

static void start_once(void)
{
    if (likely(atomic_load_explicit(&started, memory_order_relaxed)))
        return;
    if (!atomic_exchange(&started, true))
        start();
}

/* Where nobody can watch, green threads look themselves. */
#define LOOK_AGAIN (NSEC_PER_SEC / 500)

static int wait_queued(struct waiter *w, deadline_t deadline, bool watched)
{
    deadline_t look = watched ? DEADLINE_NEVER : deadline_after(LOOK_AGAIN);
    int r = lot_wait(w, look < deadline ? look : deadline);
    return r == -ETIMEDOUT && look < deadline ? 0 : r;
}

static int green_wait(const atomic_uint *addr, unsigned expected, deadline_t deadline,
                      unsigned flags)
{
    struct waiter w;
    start_once();
    lot_enqueue(&w, addr, flags);
    if (atomic_load(addr) != expected) {
        if (!lot_leave(&w))
            shared_wake_one(addr);
        return -EAGAIN;
    }
    unsigned id = watch(addr, expected);
    int r = wait_queued(&w, deadline, id != 0);
    if (id)
        unwatch(addr, id);
    return r;
}

int shared_wait(const atomic_uint *addr, unsigned expected, deadline_t deadline, unsigned flags)
{
    if (self())
        return green_wait(addr, expected, deadline, flags);
    struct timespec ts = ns_to_timespec(deadline);
    long r = futex(addr, FUTEX_WAIT_BITSET, expected, deadline == DEADLINE_NEVER ? NULL : &ts);
    return r == -EINTR && !(flags & LOT_SIGNAL) ? 0 : (int)r;
}

/* Own waiters first, which costs no system call, but not for ever. */
#define OWN_IN_A_ROW 16

void shared_wake_one(const atomic_uint *addr)
{
    static atomic_uint turn;
    unsigned now = atomic_fetch_add_explicit(&turn, 1, memory_order_relaxed);
    if (now % OWN_IN_A_ROW == 0 && futex(addr, FUTEX_WAKE, 1, NULL) > 0)
        return;
    if (lot_unpark_fenced(addr, 1) == 0)
        futex(addr, FUTEX_WAKE, 1, NULL);
}

void shared_wake_all(const atomic_uint *addr)
{
    lot_unpark_fenced(addr, UINT_MAX);
    futex(addr, FUTEX_WAKE, INT_MAX, NULL);
}

void shared_after_fork(void)
{
    watch_lock = (struct spin){0};
    watch_count = 0;
    unavailable = false;
    atomic_store(&started, false);
}
