#include "proc/sigstate.h"

#include <sys/resource.h>

#define ROOM                                                                                       \
    4096 /* for those on the way, and those that single threads block; RLIMIT_SIGPENDING is the program's */

enum { FREE, BUSY, FULL };

struct sent {
    atomic_uint state;    /* FREE -> BUSY by who fills, FULL -> BUSY by who takes */
    int sig;              /* valid when FULL, as all below */
    unsigned order;       /* grows with time */
    struct green *target; /* NULL: the process */
    siginfo_t info;       /* for the handler */
};

static struct sent sent[ROOM];
static atomic_uint reached;    /* entries ever used: no need to look further */
static atomic_uint next_order; /* for sent.order */
_Atomic uint64_t sigqueue_process;

static _Atomic uint64_t *word_of(const struct green *target)
{
    return target ? (_Atomic uint64_t *)&target->sigpending : &sigqueue_process;
}

static struct sent *claim(void)
{
    for (unsigned i = 0; i < ROOM; i++) {
        unsigned expected = FREE;
        if (!atomic_compare_exchange_strong(&sent[i].state, &expected, BUSY))
            continue;
        unsigned seen = atomic_load(&reached);
        while (seen <= i && !atomic_compare_exchange_weak(&reached, &seen, i + 1))
            ;
        return &sent[i];
    }
    return NULL;
}

bool sigqueue_full(void)
{
    struct rlimit limit;
    rlim_t n = 0;
    for (unsigned i = 0; i < atomic_load(&reached); i++)
        n += atomic_load_explicit(&sent[i].state, memory_order_relaxed) != FREE;
    return getrlimit(RLIMIT_SIGPENDING, &limit) == 0 && n >= limit.rlim_cur;
}

bool sigqueue_put(struct green *target, int sig, const siginfo_t *info)
{
    _Atomic uint64_t *word = word_of(target);
    if (!sig_is_realtime(sig) && atomic_load(word) & sig_bit(sig))
        return true; /* one is enough */
    struct sent *s = claim();
    if (!s && sig_is_realtime(sig))
        return false;
    if (s) {
        s->sig = sig;
        s->order = atomic_fetch_add(&next_order, 1);
        s->target = target;
        s->info = *info;
        atomic_store_explicit(&s->state, FULL, memory_order_release);
    }
    atomic_fetch_or(word, sig_bit(sig));
    return true;
}

/* The oldest one, *more telling whether it is not the only one. */
static struct sent *find(const struct green *target, int sig, bool *more)
{
    struct sent *best = NULL;
    unsigned n = atomic_load(&reached);
    *more = false;
    for (unsigned i = 0; i < n; i++) {
        struct sent *s = &sent[i];
        if (atomic_load_explicit(&s->state, memory_order_acquire) != FULL || s->sig != sig ||
            s->target != target)
            continue;
        *more = best != NULL;
        if (!best || (int)(s->order - best->order) < 0)
            best = s;
    }
    return best;
}

static bool take_one(struct green *target, int sig, siginfo_t *info, bool *more)
{
    struct sent *s;
    while ((s = find(target, sig, more))) {
        unsigned expected = FULL;
        if (!atomic_compare_exchange_strong(&s->state, &expected, BUSY))
            continue;
        *info = s->info;
        atomic_store_explicit(&s->state, FREE, memory_order_release);
        return true;
    }
    return false;
}

/* Whoever clears the bit has the signal. */
bool sigqueue_take(struct green *target, int sig, siginfo_t *info)
{
    _Atomic uint64_t *word = word_of(target);
    bool more;
    if (!(atomic_load(word) & sig_bit(sig)) ||
        !(atomic_fetch_and(word, ~sig_bit(sig)) & sig_bit(sig)))
        return false;
    bool found = take_one(target, sig, info, &more);
    if (sig_is_realtime(sig)) {
        if (found && more)
            atomic_fetch_or(word, sig_bit(sig));
        return found;
    }
    siginfo_t twin;
    while (found && more && take_one(target, sig, &twin, &more))
        ;
    if (!found) { /* its details found no room */
        memset(info, 0, sizeof *info);
        info->si_signo = sig;
    }
    return true;
}

void sigqueue_drop(struct green *target)
{
    siginfo_t info;
    for (int sig = 1; sig <= SIGNALS; sig++)
        while (sigqueue_take(target, sig, &info))
            ;
}

void sigqueue_clear(void)
{
    memset(sent, 0, sizeof sent[0] * atomic_load(&reached));
    atomic_store(&reached, 0);
    atomic_store(&sigqueue_process, 0);
}
