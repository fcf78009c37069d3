/* Conditions between processes, as glibc 2.25 to 2.40 wait on them: its comments tell why this is right
 * (nptl/pthread_cond_wait.c). Waiters join group G2; a signal goes to G1, and when that has no waiter left the two
 * change places. Here is the waiter's side, so that green threads park; signalling is glibc's. */
#include "sync/cond_shared.h"

#include "core/handoff.h"
#include "core/lot.h"
#include "real/real.h"
#include "sync/cancel.h"
#include "sync/mutex_full.h"
#include "sync/shared.h"
#include "sync/sync.h"

#include <errno.h>

#define LOCK_MASK 3u   /* in orig_size: 1 held, 2 held and awaited */
#define ONE_WAITER 8u  /* in wrefs */
#define ONE_SLEEPER 2u /* in refs */
#define ONE_SIGNAL 2u  /* in signals */
#define CLOSED 1u      /* in signals */
#define MAX_GROUP_SIZE (1u << 29)

struct place {
    pthread_cond_t *cond;
    struct shared_cond *c;
    uint64_t seq; /* in the order of waiters */
    unsigned g;   /* its group */
};

/* What the words of a condition with one waiter become by a signal; newer ones of glibc count otherwise. */
static bool probe(void)
{
    union {
        pthread_cond_t cond;
        struct shared_cond c;
    } u = {.c = {.wseq = 2, .wrefs = ONE_WAITER}};
    REAL(pthread_cond_signal)(&u.cond);
    return u.c.wseq == 3 && u.c.g1_start == 1 && u.c.signals[0] == ONE_SIGNAL &&
           u.c.signals[1] == 0 && u.c.orig_size == 1 << 2;
}

static bool known_words(void)
{
    static atomic_int known;
    int k = atomic_load_explicit(&known, memory_order_relaxed);
    if (unlikely(k == 0)) {
        k = probe() ? 1 : -1;
        atomic_store_explicit(&known, k, memory_order_relaxed);
    }
    return k > 0;
}

static void lock(struct shared_cond *c)
{
    unsigned size = atomic_load(&c->orig_size), mark = 1;
    for (;;) {
        if ((size & LOCK_MASK) == 0) {
            if (atomic_compare_exchange_weak(&c->orig_size, &size, size | mark))
                return;
        } else if ((size & LOCK_MASK) == 1) {
            atomic_compare_exchange_weak(&c->orig_size, &size, (size & ~LOCK_MASK) | 2);
        } else {
            shared_wait(&c->orig_size, size, DEADLINE_NEVER, 0);
            mark = 2;
            size = atomic_load(&c->orig_size);
        }
    }
}

static void unlock(struct shared_cond *c)
{
    if ((atomic_fetch_and(&c->orig_size, ~LOCK_MASK) & LOCK_MASK) == 2)
        shared_wake_one(&c->orig_size);
}

static uint64_t g1_start(struct shared_cond *c)
{
    return atomic_load(&c->g1_start) >> 1;
}

/* May be the last access: who destroys the condition waits for it. */
static void leave(struct shared_cond *c)
{
    if (atomic_fetch_sub(&c->wrefs, ONE_WAITER) >> 2 == 3)
        shared_wake_all(&c->wrefs);
}

static void wake_up(struct shared_cond *c, unsigned g)
{
    if (atomic_fetch_sub(&c->refs[g], ONE_SLEEPER) == ONE_SLEEPER + 1) {
        atomic_fetch_and(&c->refs[g], ~1u);
        shared_wake_all(&c->refs[g]);
    }
}

/* A waiter that gives up is no longer counted; what it may have used up is done again. */
static void give_up(const struct place *p)
{
    struct shared_cond *c = p->c;
    bool used = true, overflow = false;
    lock(c);
    uint64_t start = g1_start(c);
    if (start <= p->seq) {
        bool in_g2 = start + (c->orig_size >> 2) <= p->seq;
        overflow = in_g2 && c->size[p->g] + MAX_GROUP_SIZE == 0;
        used = !in_g2 && c->size[p->g] == 0;
        c->size[p->g] -= !used && !overflow;
    }
    unlock(c);
    if (overflow)
        cond_shared_wake(p->cond, true);
    else if (used)
        cond_shared_wake(p->cond, false);
}

/* Our signal may have been one for a later group of the same index: then it is put back. */
static void put_back(const struct place *p)
{
    struct shared_cond *c = p->c;
    uint64_t start = atomic_load(&c->g1_start);
    if (p->seq >= start >> 1 || ((start & 1) ^ 1) != p->g)
        return;
    unsigned signals = atomic_load(&c->signals[p->g]);
    while (atomic_load(&c->g1_start) == start) {
        if ((signals & CLOSED) ||
            atomic_compare_exchange_weak(&c->signals[p->g], &signals, signals + ONE_SIGNAL)) {
            shared_wake_one(&c->signals[p->g]);
            return;
        }
    }
}

/* Returns 1 when our group has been closed: the signal was for us. */
static int sleep_once(const struct place *p, deadline_t deadline)
{
    struct shared_cond *c = p->c;
    atomic_fetch_add(&c->refs[p->g], ONE_SLEEPER);
    int r = 1;
    if (!(atomic_load(&c->signals[p->g]) & CLOSED) && p->seq >= g1_start(c)) {
        r = shared_wait(&c->signals[p->g], 0, deadline, LOT_CANCEL);
        r = r == -EAGAIN ? 0 : r;
    }
    wake_up(c, p->g);
    return r;
}

static int take_signal(const struct place *p, deadline_t deadline)
{
    atomic_uint *word = &p->c->signals[p->g];
    unsigned signals = atomic_load(word);
    do {
        while (signals == 0) {
            int r = sleep_once(p, deadline);
            if (r)
                return r > 0 ? 0 : r;
            signals = atomic_load(word);
        }
        if (signals & CLOSED)
            return 0;
    } while (!atomic_compare_exchange_weak(word, &signals, signals - ONE_SIGNAL));
    put_back(p);
    return 0;
}

static int wait_green(pthread_cond_t *cond, pthread_mutex_t *m, deadline_t deadline)
{
    struct shared_cond *c = (struct shared_cond *)cond;
    cancel_point();
    uint64_t wseq = atomic_fetch_add(&c->wseq, 2);
    struct place p = {cond, c, wseq >> 1, wseq & 1};
    atomic_fetch_add(&c->wrefs, ONE_WAITER);
    int r = mutex_cond_unlock(m);
    int waited = r ? -r : take_signal(&p, deadline);
    if (waited)
        give_up(&p);
    if (waited == -ECANCELED)
        shared_wake_one(&c->signals[p.g]);
    leave(c);
    if (r)
        return r;
    r = mutex_cond_lock(m);
    if (waited == -ECANCELED)
        cancel_now();
    return r ? r : -waited;
}

/* glibc's own wait; it does not tell which green thread has the mutex after it. */
static int wait_glibc(pthread_cond_t *cond, pthread_mutex_t *m, struct limit limit)
{
    blocking_begin();
    int r = limit.at ? REAL(pthread_cond_clockwait)(cond, m, limit.clock, limit.at)
                     : REAL(pthread_cond_wait)(cond, m);
    blocking_end();
    if (r != EPERM)
        full_adopt((struct mutex *)m);
    return r;
}

int cond_shared_wait(pthread_cond_t *cond, pthread_mutex_t *m, struct limit limit)
{
    deadline_t deadline;
    if (shared_is_native() || !known_words())
        return wait_glibc(cond, m, limit);
    int r = limit_deadline(limit, &deadline);
    return r ? r : wait_green(cond, m, deadline);
}

int cond_shared_wake(pthread_cond_t *cond, bool all)
{
    blocking_begin();
    int r = all ? REAL(pthread_cond_broadcast)(cond) : REAL(pthread_cond_signal)(cond);
    blocking_end();
    return r;
}

int cond_shared_destroy(pthread_cond_t *cond)
{
    blocking_begin();
    int r = REAL(pthread_cond_destroy)(cond);
    blocking_end();
    return r;
}
