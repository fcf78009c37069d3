/* Barriers between processes, as glibc has them (nptl/pthread_barrier_wait.c). */
#include "sync/barrier_shared.h"
#include "core/handoff.h"
#include "real/real.h"
#include "sync/shared.h"

#include <limits.h>

/* `in` starts again from 0 before it overflows, between two rounds. */
static unsigned most_before_reset(unsigned count)
{
    return UINT_MAX / 2 - UINT_MAX / 2 % count;
}

static unsigned arrive(struct shared_barrier *b, unsigned most)
{
    for (;;) {
        unsigned i = atomic_fetch_add(&b->in, 1) + 1;
        if (i <= most)
            return i;
        for (; i > most; i = atomic_load(&b->in))
            shared_wait(&b->in, i, DEADLINE_NEVER, 0);
    }
}

/* Whoever completes rounds lets everybody of them go. */
static void wait_for_round(struct shared_barrier *b, unsigned i, unsigned count)
{
    unsigned round = atomic_load(&b->round);
    while (round + count <= i) {
        unsigned next = i - i % count;
        if (atomic_compare_exchange_weak(&b->round, &round, next)) {
            round = next;
            shared_wake_all(&b->round);
        }
    }
    for (; i > round; round = atomic_load(&b->round))
        shared_wait(&b->round, round, DEADLINE_NEVER, 0);
}

int barrier_shared_wait(struct shared_barrier *b)
{
    unsigned count = b->count, most = most_before_reset(count), i = arrive(b, most);
    wait_for_round(b, i, count);
    if (atomic_fetch_add(&b->out, 1) + 1 == most) {
        atomic_store(&b->round, 0);
        atomic_store(&b->out, 0);
        atomic_store(&b->in, 0);
        shared_wake_all(&b->in);
    }
    return i % count == 0 ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

/* Waits for those of complete rounds to have left. */
int barrier_shared_destroy(pthread_barrier_t *b)
{
    blocking_begin();
    int r = REAL(pthread_barrier_destroy)(b);
    blocking_end();
    return r;
}
