/* Suspending and resuming green threads. A green thread is made runnable only by the carrier of its hub;
   everybody else leaves a note in the hub's inbox. So a waker can never run a context that is not saved yet, and
   the park word needs no atomic instruction. */
#ifndef EVY_SCHED_H
#define EVY_SCHED_H

#include "base/base.h"
#include "base/clock.h"
#include "body/green.h"

/* Suspends the running green thread, in a critical section, until sched_unpark or the deadline. Returns 0 (unparked; may
   be spurious: callers check their own condition), -ETIMEDOUT, or -ENOMEM when no timer could be had. */
int sched_park(deadline_t deadline);

/* Makes g runnable, or its next park return at once. Any thread, also one libevy does not run. */
void sched_unpark(struct green *g);

/* The same from a signal handler, whatever it interrupted. */
void sched_unpark_async(struct green *g);

/* Lets the others of this hub run and I/O be polled once. Nothing on the hub's loop, as in a timer of the API. */
void sched_yield_now(void);

/* The same, but comes back only after one poll of I/O, behind whom that has made ready. */
void sched_yield_to_io(void);

/* Suspends the caller behind all others of its hub and runs g, of the same hub, first if it is parked. Returns
   whether it was. */
bool sched_yield_to(struct green *g);

/* The running green thread has used the hub for one operation that did not wait: yields when it has
   done so for long, so that neither a busy descriptor nor one that asks again and again starves the rest. */
void sched_tick(void);

/* The running green thread, in a critical section, goes on as one of hub `to`, another one. */
void sched_move(struct hub *to);

/* In a critical section, by who is about to spend a while: brings into the cache what those who run next need first. */
void sched_expect_next(void);

/* The same for the one that h runs after the next, by its carrier about to switch. Not where the turn that ends has
   done it. */
void sched_expect_crowd(struct hub *h);

/* First run of g, a new green thread, on the hub that suits. Any thread. */
void sched_start(struct green *g);

/* Green threads that have been started and have not ended, main among them: never too few. */
unsigned sched_alive(void);

/* The running green thread is about to end: all that is left to do is to return from its body. after(arg) runs once it is
   off its stack. The caller has entered a critical section for ever by this. */
void sched_end(void (*after)(void *), void *arg);

/* After sched_end, from the first function of its context, which returns this: whom to continue. */
struct context_next sched_last(void);

/* The same from deep inside: never returns. */
__attribute__((noreturn)) void sched_exit(void (*after)(void *), void *arg);

/* Every new context calls this first: finishes the switch that led to it. */
void sched_arrived(void);

/* What a hub's own context does for ever: poll, then run who is ready. */
__attribute__((noreturn)) void sched_loop(struct hub *h);

#endif
