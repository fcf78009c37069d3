/* POSIX timers whose signal is for one green thread (SIGEV_THREAD_ID), or that measure its CPU time. The kernel knows none
 * of its ids: a kernel thread takes the signal, like the one that libc has for SIGEV_THREAD, and sends it on. Who makes a
 * timer on its own CPU clock gets a kernel thread of its own. */
#ifndef EVY_SIGTIMER_H
#define EVY_SIGTIMER_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

/* As the calls of these names. */
int evy_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer);
int evy_timer_settime(timer_t timer, int flags, const struct itimerspec *when,
                      struct itimerspec *old);
int evy_timer_gettime(timer_t timer, struct itimerspec *when);
int evy_timer_delete(timer_t timer);

/* Whether the kernel cannot have such a timer without us. */
bool timer_needs_us(clockid_t clock, const struct sigevent *event);

/* In a forked child: it has no timers. */
void sigtimers_forget(void);

#endif
