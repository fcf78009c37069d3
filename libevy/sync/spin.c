#include "base/sys.h"
#include "core/sched.h"
#include "cpu.h"
#include "sync/sync.h"
#include "sync/words.h"

#include <errno.h>

#define SPINS 200 /* more than a section made for spin locks takes */

static bool try_spin(atomic_int *word)
{
    int free = SPINWORD_FREE;
    return atomic_compare_exchange_strong_explicit(word, &free, SPINWORD_HELD, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* The holder may be a green thread of this very hub that has parked, or have lost its CPU. */
static void step_aside(void)
{
    if (self())
        sched_yield_now();
    else
        sys_yield();
}

static EVY_NOINLINE void spin_slow(atomic_int *word)
{
    for (unsigned i = 1;; i++) {
        if (atomic_load_explicit(word, memory_order_relaxed) == SPINWORD_FREE && try_spin(word))
            return;
        if (i % SPINS == 0)
            step_aside();
        else
            cpu_relax();
    }
}

int evy_pthread_spin_lock(pthread_spinlock_t *s)
{
    atomic_int *word = (atomic_int *)s;
    if (unlikely(!try_spin(word)))
        spin_slow(word);
    return 0;
}

int evy_pthread_spin_trylock(pthread_spinlock_t *s)
{
    return try_spin((atomic_int *)s) ? 0 : EBUSY;
}

int evy_pthread_spin_unlock(pthread_spinlock_t *s)
{
    atomic_store_explicit((atomic_int *)s, SPINWORD_FREE, memory_order_release);
    return 0;
}
