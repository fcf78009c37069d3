#include "body/green.h"
#include "core/lot.h"
#include "core/raise.h"
#include "core/sched.h"
#include "proc/signals.h"
#include "real/real.h"
#include "sync/cancel.h"
#include "sync/deadline.h"
#include "sync/shared.h"
#include "sync/sync.h"
#include "sync/words.h"

#include <errno.h>
#include <limits.h>

#define VALUE(data) ((unsigned)(data))
#define WAITERS(data) ((unsigned)((data) / SEM_WAITER))

static inline struct sem *words(sem_t *s)
{
    return (struct sem *)s;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* Takes one permit if there is one, and with less = SEM_WAITER the caller off the count of waiters. */
static bool take(struct sem *s, uint64_t less)
{
    uint64_t data = atomic_load_explicit(&s->data, memory_order_relaxed);
    while (VALUE(data) > 0) {
        if (atomic_compare_exchange_weak(&s->data, &data, data - 1 - less))
            return true;
    }
    return false;
}

static int park(struct sem *s, deadline_t deadline, unsigned lost)
{
    const unsigned flags =
        LOT_CANCEL | LOT_UNWIND | LOT_SIGNAL | LOT_RAISE | LOT_SEM | lot_starving(lost);
    return s->shared ? shared_wait(sem_value(s), 0, deadline, flags)
                     : lot_park(sem_value(s), 0, deadline, flags);
}

/* Whoever is woken has not been given the permit, it tries again: a permit is never lost with a waiter
   that gives up. */
static int wait_until(struct sem *s, deadline_t deadline)
{
    atomic_fetch_add(&s->data, SEM_WAITER);
    for (unsigned lost = 0; !take(s, SEM_WAITER);) {
        int r = park(s, deadline, lost);
        lost += r == 0;
        if (r == -EINTR && self() && signals_deliver() && deadline == DEADLINE_NEVER)
            continue; /* SA_RESTART: for the untimed wait alone, as the kernel's futex has it */
        if (r < 0 && r != -EAGAIN) {
            atomic_fetch_sub(&s->data, SEM_WAITER);
            return r;
        }
    }
    return 0;
}

/* Kernel threads wait for a shared one in the kernel, where every process wakes them. */
static inline bool is_kernels(const struct sem *s)
{
    return s->shared && !self();
}

static void leave_unwinding(void *sem)
{
    struct sem *s = sem;
    atomic_fetch_sub(&s->data, SEM_WAITER);
}

/* A kernel thread that is cancelled unwinds from the wait. */
static EVY_COLD int foreign_wait(struct sem *s, deadline_t deadline)
{
    int r;
    pthread_cleanup_push(leave_unwinding, s);
    r = wait_until(s, deadline);
    pthread_cleanup_pop(0);
    return r;
}

static EVY_NOINLINE int wait_slow(struct sem *s, deadline_t deadline)
{
    int r = likely(self() != NULL) ? wait_until(s, deadline) : foreign_wait(s, deadline);
    if (r == -ECANCELED)
        cancel_now();
    return r == 0 ? 0 : fail(error_edge(r));
}

/* A cancellation point of green and of kernel threads. */
static inline void point(void)
{
    if (likely(self() != NULL))
        cancel_point();
    else
        REAL(pthread_testcancel)();
}

int evy_sem_wait(sem_t *s)
{
    point();
    if (likely(take(words(s), 0)))
        return 0;
    return is_kernels(words(s)) ? REAL(sem_wait)(s) : wait_slow(words(s), DEADLINE_NEVER);
}

int evy_sem_trywait(sem_t *s)
{
    if (take(words(s), 0))
        return 0;
    if (self())
        sched_tick(); /* who tries until it succeeds must let others post */
    return fail(EAGAIN);
}

int evy_sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *at)
{
    deadline_t deadline;
    int r = limit_clock_ok(clock) ? limit_deadline((struct limit){clock, at}, &deadline) : EINVAL;
    if (r)
        return fail(r);
    if (take(words(s), 0))
        return 0;
    return is_kernels(words(s)) ? REAL(sem_clockwait)(s, clock, at) : wait_slow(words(s), deadline);
}

int evy_sem_timedwait(sem_t *s, const struct timespec *at)
{
    point(); /* even if it will not wait, unlike the other one in glibc */
    return evy_sem_clockwait(s, CLOCK_REALTIME, at);
}

/* Async-signal-safe, although the parking lot takes a spin lock: a handler that interrupts the runtime is
   deferred to the runtime's exit (body/critical.h), so this never interrupts the lock's holder.
   Once the permit is there a waiter may take it and free the semaphore: from then on only its address
   counts. */
int evy_sem_post(sem_t *sem)
{
    struct sem *s = words(sem);
    bool shared = s->shared;
    uint64_t data = atomic_load_explicit(&s->data, memory_order_relaxed);
    do {
        if (VALUE(data) == SEM_VALUE_MAX)
            return fail(EOVERFLOW);
    } while (!atomic_compare_exchange_weak(&s->data, &data, data + 1));
    if (WAITERS(data) > 0) {
        if (shared)
            shared_wake_one(sem_value(s));
        else
            lot_unpark_fenced(sem_value(s), 1);
    }
    return 0;
}
