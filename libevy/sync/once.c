#include "core/lot.h"
#include "sync/mutex_full.h"
#include "sync/shared.h"
#include "sync/sync.h"
#include "sync/words.h"

#include <limits.h>

/* Tells an initialisation of this process from one that was running when its parent forked. */
static unsigned generation;

void once_after_fork(void)
{
    generation += ONCE_GENERATION;
    robust_after_fork();
    shared_after_fork();
}

static void finish(atomic_uint *word, unsigned value)
{
    atomic_store(word, value);
    lot_unpark(word, UINT_MAX);
}

static void start_over(void *word)
{
    finish(word, 0);
}

/* The routine may leave by pthread_exit, cancellation or an exception: then the next caller runs it. */
static void run(atomic_uint *word, void (*init)(void))
{
    pthread_cleanup_push(start_over, word);
    init();
    pthread_cleanup_pop(0);
    finish(word, ONCE_DONE);
}

static EVY_NOINLINE int once_slow(atomic_uint *word, void (*init)(void))
{
    unsigned running = generation | ONCE_RUNNING;
    unsigned value = atomic_load(word);
    while (!(value & ONCE_DONE)) {
        if (value == running) {
            lot_park(word, running, DEADLINE_NEVER, LOT_ONCE);
            value = atomic_load(word);
        } else if (atomic_compare_exchange_strong(word, &value, running)) {
            run(word, init);
            break;
        }
    }
    return 0;
}

int evy_pthread_once(pthread_once_t *once, void (*init)(void))
{
    atomic_uint *word = (atomic_uint *)once;
    if (likely(atomic_load_explicit(word, memory_order_acquire) & ONCE_DONE))
        return 0;
    return once_slow(word, init);
}
