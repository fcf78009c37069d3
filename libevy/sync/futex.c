#include "sync/futex.h"

#include "arch/probe.h"
#include "base/sys.h"
#include "body/green.h"
#include "core/hub.h"
#include "core/lot.h"
#include "io/blocking.h"
#include "io/io.h"
#include "proc/own_thread.h"
#include "proc/signals.h"
#include "real/real.h"
#include "sync/futex_pi.h"

#include <limits.h>
#include <sys/mman.h>

/* One call. Words without FUTEX_PRIVATE_FLAG may lie in memory of several processes: kernel threads
   wait for them in the kernel, and every wake-up goes both to the parking lot and to the kernel. */
struct call {
    atomic_uint *word;
    int op; /* as given, with flags */
    unsigned value;
    const long *args; /* all six words */
    bool shared;
};

static long kernel(const long *a)
{
    return sys_call6(SYS_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The kernel wakes one waiter even when asked for none. */
static unsigned wake_count(long n)
{
    return (int)n < 1 ? 1 : (unsigned)n;
}

static long wake_at(const struct call *c, const void *addr, unsigned count, uint32_t bits)
{
    long woken = (long)lot_unpark_bits(addr, count, bits);
    if (!c->shared || woken >= (long)count)
        return woken;
    long more =
        sys_call6(SYS_futex, (long)addr, FUTEX_WAKE_BITSET, (long)count - woken, 0, 0, (long)bits);
    return more > 0 ? woken + more : woken ? woken : more == -EFAULT ? more : 0;
}

/* Only such a mapping can be had a second time (mremap(2)). */
bool futex_others_have(const void *word)
{
    long page = (long)word & -4096L;
    long twin = sys_call6(SYS_mremap, page, 0, 4096, MREMAP_MAYMOVE, 0, 0);
    if (twin < 0)
        return false;
    sys3(SYS_munmap, twin, 4096, 0);
    return true;
}

/* Waits among the kernel's waiters, whom other processes wake and count. */
static long wait_in_kernel(const struct call *c, uint32_t bits, deadline_t deadline)
{
    struct timespec ts = ns_to_timespec(deadline);
    const long a[6] = {c->args[0], FUTEX_WAIT_BITSET,
                       c->value,   deadline == DEADLINE_NEVER ? 0 : (long)&ts,
                       0,          (long)bits};
    return or_errno(BLOCKING(PLAIN, long, errno_edge(kernel(a))));
}

/* Other processes wake the kernel's waiters only. A green thread becomes one of them when nothing has come for a moment,
   or, where it cannot or nobody else has the memory, looks at the word now and then. */
#define LOOK_FIRST (NSEC_PER_SEC / 2000)
#define LOOK_LAST (NSEC_PER_SEC / 64)

static int park_shared(const struct call *c, uint32_t bits, deadline_t deadline)
{
    int64_t look = LOOK_FIRST;
    for (;;) {
        if (look == LOOK_FIRST * 2 && blocking_has_room() && futex_others_have(c->word)) {
            int r = (int)wait_in_kernel(c, bits, deadline);
            return r == -EAGAIN ? 0 : r;
        }
        deadline_t next = deadline_after(look);
        bool last = deadline <= next;
        int r =
            lot_park_bits(c->word, c->value, bits, last ? deadline : next, LOT_SIGNAL | LOT_FUTEX);
        if (r == -EAGAIN && look > LOOK_FIRST)
            return 0; /* it has changed since the wait began */
        if (r != -ETIMEDOUT || last)
            return r;
        look = look < LOOK_LAST ? look * 2 : LOOK_LAST;
    }
}

/* FUTEX_WAIT takes a duration, FUTEX_WAIT_BITSET a point in time. */
static long wait_limit(const struct call *c, deadline_t *deadline)
{
    const struct timespec *ts = (const struct timespec *)c->args[3];
    if (!ts)
        *deadline = DEADLINE_NEVER;
    else if (!timespec_valid(ts))
        return -EINVAL;
    else if ((c->op & FUTEX_CMD_MASK) == FUTEX_WAIT)
        return deadline_from_rel(ts, deadline);
    else
        return deadline_from_abs(c->op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC,
                                 ts, deadline);
    return 0;
}

/* How often in a row a lock of the program's own making may be lost to another before its waiter counts as starving: an
   event that comes again and again looks the same. */
#define PATIENCE 8

static int park_private(const struct call *c, uint32_t bits, deadline_t deadline)
{
    struct green *g = self();
    unsigned woken = 0, flags = LOT_SIGNAL | LOT_FUTEX;
    if (g && g->futex.word == c->word && g->futex.value == c->value)
        woken = g->futex.woken;
    if (woken >= PATIENCE)
        flags |= LOT_STARVING;
    int r = lot_park_bits(c->word, c->value, bits, deadline, flags);
    if (g && r == 0)
        g->futex = (struct futex_wait){c->word, c->value, woken + 1};
    return r;
}

/* A wait without a limit goes on after handlers with SA_RESTART, as in the kernel. */
static long wait_word(const struct call *c, uint32_t bits)
{
    deadline_t deadline;
    const struct green *g = self();
    long r = bits ? wait_limit(c, &deadline) : -EINVAL;
    if (r)
        return r;
    if (c->shared && !g)
        return kernel(c->args);
    unsigned breaks = g ? g->breaks : 0;
    do {
        r = c->shared ? park_shared(c, bits, deadline) : park_private(c, bits, deadline);
    } while (r == -EINTR && g && signals_deliver() && g->breaks == breaks &&
             deadline == DEADLINE_NEVER);
    return r;
}

static long requeue(const struct call *c, bool compare)
{
    int wake = (int)c->value, move = (int)c->args[3];
    uint32_t expected = (uint32_t)c->args[5];
    if (wake < 0 || move < 0)
        return -EINVAL;
    long r = lot_requeue(c->word, (const void *)c->args[4], (unsigned)wake, (unsigned)move,
                         compare ? &expected : NULL);
    if (!c->shared || r < 0 || r >= (long)wake + move)
        return r;
    long woken = r < wake ? r : wake;
    long more = sys_call6(SYS_futex, c->args[0], FUTEX_REQUEUE, wake - woken, move - (r - woken),
                          c->args[4], 0);
    return more > 0 ? r + more : r;
}

static int sign_extend_12(unsigned field)
{
    return (int)(field << 20) >> 20;
}

static bool holds(int old, int cmp, int with)
{
    switch (cmp) {
    case FUTEX_OP_CMP_EQ:
        return old == with;
    case FUTEX_OP_CMP_NE:
        return old != with;
    case FUTEX_OP_CMP_LT:
        return old < with;
    case FUTEX_OP_CMP_LE:
        return old <= with;
    case FUTEX_OP_CMP_GT:
        return old > with;
    default:
        return old >= with;
    }
}

static int change(atomic_uint *word, unsigned op, unsigned arg)
{
    switch (op) {
    case FUTEX_OP_SET:
        return (int)atomic_exchange(word, arg);
    case FUTEX_OP_ADD:
        return (int)atomic_fetch_add(word, arg);
    case FUTEX_OP_OR:
        return (int)atomic_fetch_or(word, arg);
    case FUTEX_OP_ANDN:
        return (int)atomic_fetch_and(word, ~arg);
    default:
        return (int)atomic_fetch_xor(word, arg);
    }
}

/* Changes the second word, wakes waiters of the first, and of the second if its old value asks so.
   */
static long wake_op(const struct call *c)
{
    unsigned code = (unsigned)c->args[5];
    unsigned op = code >> 28 & 7, cmp = code >> 24 & 15;
    int arg = sign_extend_12(code >> 12 & 0xfff);
    if (op > FUTEX_OP_XOR)
        return -ENOSYS;
    if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
        arg = (int)(1u << (arg & 31));
    atomic_uint *second = (atomic_uint *)c->args[4];
    int old = change(second, op, (unsigned)arg);
    if (cmp > FUTEX_OP_CMP_GE)
        return -ENOSYS; /* the kernel, too, asks that late */
    long woken = wake_at(c, c->word, wake_count(c->value), FUTEX_BITSET_MATCH_ANY);
    if (holds(old, (int)cmp, sign_extend_12(code & 0xfff)))
        woken += wake_at(c, second, wake_count(c->args[3]), FUTEX_BITSET_MATCH_ANY);
    return woken;
}

static long run(const struct call *c)
{
    switch (c->op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        return wait_word(c, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT_BITSET:
        return wait_word(c, (uint32_t)c->args[5]);
    case FUTEX_WAKE:
        return wake_at(c, c->word, wake_count(c->value), FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return c->args[5] ? wake_at(c, c->word, wake_count(c->value), (uint32_t)c->args[5])
                          : -EINVAL;
    case FUTEX_REQUEUE:
        return requeue(c, false);
    case FUTEX_CMP_REQUEUE:
        return requeue(c, true);
    case FUTEX_WAKE_OP:
        return wake_op(c);
    default:
        return kernel(c->args);
    }
}

/* What a command takes. */
enum { TIMED = 1, CLOCKED = 2, TWO = 4, PI = 8 };

static unsigned needs(int cmd)
{
    switch (cmd) {
    case FUTEX_WAIT:
        return TIMED;
    case FUTEX_WAIT_BITSET:
        return TIMED | CLOCKED;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP:
        return TWO;
    case FUTEX_LOCK_PI:
        return PI | TIMED;
    case FUTEX_LOCK_PI2:
        return PI | TIMED | CLOCKED;
    case FUTEX_TRYLOCK_PI:
    case FUTEX_UNLOCK_PI:
        return PI;
    case FUTEX_WAIT_REQUEUE_PI:
        return PI | TIMED | CLOCKED | TWO;
    case FUTEX_CMP_REQUEUE_PI:
        return PI | TWO;
    default:
        return 0;
    }
}

/* While the process is alone nobody would make good what a probe causes. */
static bool is_readable(const long *a, unsigned need)
{
    if (!hub_count || !need)
        return true;
    return (!(need & TIMED) || probe_given((const void *)a[3], sizeof(struct timespec))) &&
           probe((const void *)a[0], sizeof(uint32_t)) &&
           (!(need & TWO) || probe((const void *)a[4], sizeof(uint32_t)));
}

static bool is_word(long at)
{
    return at > 0 && !(at & 3);
}

static bool legal(const long *a, unsigned need)
{
    return is_word(a[0]) && (!(need & TWO) || is_word(a[4])) &&
           (need & CLOCKED || !(a[1] & FUTEX_CLOCK_REALTIME)) && is_readable(a, need);
}

/* In memory of several processes the ids must be the kernel's: main's is, on a kernel thread of its own. */
static long run_pi(const struct call *c)
{
    if (!c->shared || !futex_others_have(c->word))
        return futex_pi(c->args);
    if (!self())
        return kernel(c->args);
    own_thread_get();
    return or_errno(BLOCKING(PLAIN, long, errno_edge(kernel(c->args))));
}

/* Addresses and flags that the kernel refuses are refused by the kernel. */
long evy_futex(const long args[6])
{
    int op = (int)args[1];
    unsigned need = needs(op & FUTEX_CMD_MASK);
    struct call c = {(atomic_uint *)args[0], op, (unsigned)args[2], args,
                     !(op & FUTEX_PRIVATE_FLAG)};
    if (!legal(args, need))
        return errno_edge(kernel(args));
    return errno_edge(need & PI ? run_pi(&c) : run(&c));
}
