/* Kernel threads that libevy does not run, waiting in the parking lot. */
#include "core/bucket.h"

#include "real/real.h"

#include <errno.h>
#include <pthread.h>

/* Of its own frame, so that its caller's cleanup covers all of it. A request acts here or not at all. */
static EVY_NOINLINE long sleep_as_cancellation_point(struct waiter *w, const struct timespec *until)
{
    int type;
    REAL(pthread_setcanceltype)(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    long r = sys_futex_wait(&w->woken, NOT_WOKEN, until);
    REAL(pthread_setcanceltype)(type, NULL);
    return r;
}

/* A wake-up that the unwinding thread has no use for is another's. */
static void leave_unwinding(void *waiter)
{
    struct waiter *w = waiter;
    w->mask = foreign_enter();
    if (!lot_leave(w))
        lot_unpark(waiter_addr(w), 1);
}

static long kernel_sleep(struct waiter *w, const struct timespec *until)
{
    long r;
    if (!(w->flags & LOT_UNWIND))
        return sys_futex_wait(&w->woken, NOT_WOKEN, until);
    pthread_cleanup_push(leave_unwinding, w);
    r = sleep_as_cancellation_point(w, until);
    pthread_cleanup_pop(0);
    return r;
}

int lot_foreign_wait(struct waiter *w, deadline_t deadline)
{
    struct timespec ts = ns_to_timespec(deadline);
    const struct timespec *until = deadline == DEADLINE_NEVER ? NULL : &ts;
    foreign_leave(w->mask);
    while (atomic_load_explicit(&w->woken, memory_order_acquire) == NOT_WOKEN) {
        long r = kernel_sleep(w, until);
        if (r == -ETIMEDOUT || (r == -EINTR && (w->flags & LOT_SIGNAL))) {
            w->mask = foreign_enter();
            return lot_leave(w) ? (int)r : 0;
        }
    }
    return 0;
}
