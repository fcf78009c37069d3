#include "core/lot.h"
#include "sync/barrier_shared.h"
#include "sync/sync.h"
#include "sync/words.h"

#include <errno.h>

static inline struct barrier *words(pthread_barrier_t *b)
{
    return (struct barrier *)b;
}

/* Counts the caller in. Returns true when that completes a round; then the next one has begun. */
static bool arrive(struct barrier *b, unsigned count)
{
    unsigned arrived = atomic_load_explicit(&b->arrived, memory_order_relaxed), next;
    do
        next = arrived + 1 == count ? 0 : arrived + 1;
    while (!atomic_compare_exchange_weak(&b->arrived, &arrived, next));
    return next == 0;
}

/* Everybody queues before it is counted, so the last one finds the others queued, and the woken need not
   look at the barrier again: it may be destroyed as soon as one has returned. With more threads than
   count an earlier round may wake us before we are counted; then the one it left behind is ours to wake. */
int evy_pthread_barrier_wait(pthread_barrier_t *barrier)
{
    struct barrier *b = words(barrier);
    struct waiter w;
    if (b->shared)
        return barrier_shared_wait((struct shared_barrier *)barrier);
    unsigned count = b->count;
    lot_enqueue(&w, b, LOT_BARRIER);
    if (arrive(b, count)) {
        bool queued = lot_leave(&w);
        lot_unpark_fenced(b, queued ? count - 1 : count);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    lot_wait(&w, DEADLINE_NEVER);
    return 0;
}

int evy_pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    struct barrier *b = words(barrier);
    if (b->shared)
        return barrier_shared_destroy(barrier);
    return atomic_load_explicit(&b->arrived, memory_order_relaxed) ? EBUSY : 0;
}
