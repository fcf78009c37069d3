/* Robust mutexes are on a list that glibc keeps in struct pthread and has told the kernel of: when that thread
 * dies, with or without the process, the kernel writes FUTEX_OWNER_DIED into the words that hold its tid. All green
 * threads of a process use the list and the tid of its first thread, which lives as long as the process, however
 * that ends. When a green thread ends, libevy does for its mutexes what the kernel would. */
#include "base/spin.h"
#include "base/sys.h"
#include "body/critical.h"
#include "body/tcb_internal.h"
#include "sync/mutex_full.h"
#include "sync/shared.h"
#include "sync/sync.h"

#include <errno.h>

static struct spin list_lock;      /* the lists of all threads, and the words of robust mutexes */
static atomic_uint held_by_greens; /* how many: most threads end without any */

/* A node is the address of a `next`; the word before it is `prev`, which also holds an address of a `next`. */
static uintptr_t *head_of(uintptr_t owner)
{
    static uintptr_t
        unknown[4]; /* where glibc's is not found: only the ends of green threads count */
    if (likely(tcb_layout.robust != 0))
        return &field(uintptr_t, owner, tcb_layout.robust);
    if (unknown[1] == 0)
        unknown[1] = (uintptr_t)&unknown[1];
    return &unknown[1];
}

static uintptr_t *node_of(struct mutex *m)
{
    return &m->list[1];
}

static uintptr_t *untagged(uintptr_t next)
{
    return (uintptr_t *)(next & ~(uintptr_t)1); /* glibc tags PI mutexes */
}

static struct mutex *mutex_of(uintptr_t *node)
{
    return container_of(node, struct mutex, list[1]);
}

/* Each store must be there before the next: the kernel may look at any time. */
static void keep_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

static void set_pending(uintptr_t owner, const void *node)
{
    keep_order();
    head_of(owner)[2] = (uintptr_t)node;
    keep_order();
}

void robust_begin(uintptr_t owner, struct mutex *m)
{
    critical_enter();
    spin_lock(&list_lock);
    set_pending(owner, node_of(m));
}

void robust_end(uintptr_t owner)
{
    set_pending(owner, NULL);
    spin_unlock(&list_lock);
    critical_leave();
}

/* A mutex whose memory serves another purpose while it was held breaks the list, which natively only its owner had to
   do with: the rest is forgotten. */
static bool follows(uintptr_t *node, uintptr_t *before)
{
    return node && node[-1] == (uintptr_t)before;
}

void robust_insert(uintptr_t owner, struct mutex *m)
{
    uintptr_t *head = head_of(owner), *node = node_of(m);
    if (unlikely(!follows(untagged(head[0]), head)))
        head[0] = head[-1] = (uintptr_t)head;
    untagged(head[0])[-1] = (uintptr_t)node;
    node[0] = head[0];
    node[-1] = (uintptr_t)head;
    keep_order();
    head[0] = (uintptr_t)node;
    if (self())
        atomic_fetch_add_explicit(&held_by_greens, 1, memory_order_relaxed);
}

void robust_remove(struct mutex *m)
{
    uintptr_t *node = node_of(m);
    if (likely(follows(untagged(node[0]), node))) {
        untagged(node[0])[-1] = node[-1];
        untagged(node[-1])[0] = node[0];
    }
    node[0] = node[-1] = 0;
    if (self() && atomic_load_explicit(&held_by_greens, memory_order_relaxed))
        atomic_fetch_sub_explicit(&held_by_greens, 1, memory_order_relaxed);
}

/* As the kernel's handle_futex_death. */
static void leave_to_others(struct mutex *m)
{
    unsigned word = atomic_load(&m->lock);
    while (
        !atomic_compare_exchange_weak(&m->lock, &word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED))
        ;
    if (word & FUTEX_WAITERS)
        shared_wake_one(&m->lock);
}

static struct mutex *next_held(uintptr_t owner, int me)
{
    uintptr_t *head = head_of(owner), *before = head;
    for (uintptr_t *node = untagged(head[0]); node != head && follows(node, before);
         before = node, node = untagged(node[0])) {
        if (atomic_load_explicit(&mutex_of(node)->holder, memory_order_relaxed) == me)
            return mutex_of(node);
    }
    return NULL;
}

void robust_thread_ends(void)
{
    if (likely(atomic_load_explicit(&held_by_greens, memory_order_relaxed) == 0))
        return;
    uintptr_t owner = shared_thread();
    struct mutex *m;
    critical_enter();
    spin_lock(&list_lock);
    while ((m = next_held(owner, sync_tid()))) {
        set_pending(owner, node_of(m));
        robust_remove(m);
        leave_to_others(m);
        set_pending(owner, NULL);
    }
    spin_unlock(&list_lock);
    critical_leave();
}

void robust_after_fork(void)
{
    list_lock = (struct spin){0};
    atomic_store(&held_by_greens, 0);
}

int evy_pthread_mutex_consistent(pthread_mutex_t *mutex)
{
    struct mutex *m = (struct mutex *)mutex;
    int kind = atomic_load_explicit(&m->kind, memory_order_relaxed);
    if (!(kind & MUTEX_ROBUST) ||
        atomic_load_explicit(&m->owner, memory_order_relaxed) != MUTEX_INCONSISTENT)
        return EINVAL;
    atomic_store_explicit(&m->owner, tcb_tid(shared_thread()), memory_order_relaxed);
    return 0;
}
