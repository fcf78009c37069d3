#include "base/spin.h"

#include "base/sys.h"
#include "cpu.h"

/* Spins before the CPU is given up: several times what the longest section takes. */
#define SPINS 200

static bool spin_try(struct spin *s)
{
    return atomic_load_explicit(&s->held, memory_order_relaxed) == 0 &&
           atomic_exchange_explicit(&s->held, 1, memory_order_acquire) == 0;
}

void spin_lock_slow(struct spin *s)
{
    for (;;) {
        for (int i = 0; i < SPINS; i++) {
            if (spin_try(s))
                return;
            cpu_relax();
        }
        sys_yield(); /* the holder has lost its CPU, perhaps to us */
    }
}
