/* The kernel knows no green thread by the id in the word, so it sees no such word. An unlock frees the word and wakes one,
   who takes it or waits on, as with mutexes; FUTEX_WAITERS sends the owner's unlock here. */
#include "sync/futex_pi.h"

#include "base/clock.h"
#include "base/sys.h"
#include "body/green.h"
#include "body/tcb.h"
#include "core/lot.h"
#include "sync/thread.h"

#include <errno.h>
#include <unistd.h>

/* An owner that ends leaves the word as it is: who waits looks now and then. */
#define LOOK (NSEC_PER_SEC / 10)

static unsigned my_tid(void)
{
    return self() ? (unsigned)tcb_tid(self()->thread) : (unsigned)sys_gettid();
}

static bool exists(unsigned tid)
{
    if (tid >= TID_INVENTED_MIN)
        return thread_with_tid((pid_t)tid) != NULL;
    return sys3(SYS_tgkill, getpid(), tid, 0) == 0;
}

/* Returns 0, -EAGAIN while another has it, -EDEADLK, -ESRCH when nobody with the owner's id is there; of a word that has
   been waited for, its next owner learns that in FUTEX_OWNER_DIED. */
static int take(atomic_uint *word, bool waited)
{
    unsigned me = my_tid(), old = atomic_load(word);
    for (;;) {
        unsigned owner = old & FUTEX_TID_MASK;
        if (owner == me)
            return -EDEADLK;
        bool there = owner && exists(owner);
        if (there || (owner && !waited))
            return there ? -EAGAIN : -ESRCH;
        unsigned died = owner ? FUTEX_OWNER_DIED : old & FUTEX_OWNER_DIED;
        unsigned waiters = waited || lot_awaited(word) ? FUTEX_WAITERS : 0;
        if (atomic_compare_exchange_strong(word, &old, me | died | waiters))
            return 0;
    }
}

static int wait_once(atomic_uint *word, deadline_t deadline, unsigned lost)
{
    unsigned old = atomic_load(word), marked = old | FUTEX_WAITERS;
    deadline_t look = deadline_after(LOOK);
    if (!(old & FUTEX_TID_MASK) ||
        (old != marked && !atomic_compare_exchange_strong(word, &old, marked)))
        return 0;
    int r =
        lot_park(word, marked, deadline < look ? deadline : look, LOT_FUTEX | lot_starving(lost));
    return r == -ETIMEDOUT && deadline_left(deadline) ? 0 : r;
}

static int lock(atomic_uint *word, deadline_t deadline)
{
    int r, waited = 0;
    for (unsigned lost = 0; (r = take(word, lost > 0)) == -EAGAIN && waited != -ETIMEDOUT; lost++)
        waited = wait_once(word, deadline, lost);
    return r == -EAGAIN ? -ETIMEDOUT : r;
}

static int unlock(atomic_uint *word)
{
    if ((atomic_load(word) & FUTEX_TID_MASK) != my_tid())
        return -EPERM;
    atomic_store(word, 0);
    lot_unpark(word, 1);
    return 0;
}

static int wait_requeue(atomic_uint *from, unsigned expected, atomic_uint *to, deadline_t deadline)
{
    int r = from == to ? -EINVAL : lot_park(from, expected, deadline, LOT_FUTEX);
    return r ? r : lock(to, deadline);
}

/* All are woken: each waits for the second word by itself. */
static int cmp_requeue(const atomic_uint *from, const long *a)
{
    int wake = (int)a[2], move = (int)a[3];
    uint32_t expected = (uint32_t)a[5];
    if (wake != 1 || move < 0 || a[0] == a[4])
        return -EINVAL;
    return lot_requeue(from, from, 1u + (unsigned)move, 0, &expected);
}

/* FUTEX_LOCK_PI has always had the wall clock's time. */
static int limit(const long *a, deadline_t *deadline)
{
    int op = (int)a[1];
    bool wall = (op & FUTEX_CMD_MASK) == FUTEX_LOCK_PI || op & FUTEX_CLOCK_REALTIME;
    return deadline_from_abs(wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, (const struct timespec *)a[3],
                             deadline);
}

long futex_pi(const long a[6])
{
    atomic_uint *word = (atomic_uint *)a[0];
    deadline_t deadline;
    int r;
    switch ((int)a[1] & FUTEX_CMD_MASK) {
    case FUTEX_TRYLOCK_PI:
        return take(word, false);
    case FUTEX_UNLOCK_PI:
        return unlock(word);
    case FUTEX_CMP_REQUEUE_PI:
        return cmp_requeue(word, a);
    case FUTEX_WAIT_REQUEUE_PI:
        r = limit(a, &deadline);
        return r ? r : wait_requeue(word, (unsigned)a[2], (atomic_uint *)a[4], deadline);
    default:
        r = limit(a, &deadline);
        return r ? r : lock(word, deadline);
    }
}
