/* Timers on the CPU clock of another green thread, which the kernel does not know: the program's is one of the kernel's on
 * CLOCK_MONOTONIC, set off when the time has come. When that may be a second one tells, the watch, whose signal goes to the
 * taker of sigtimer.c; CPU time does not run faster than time. Late by at most a few milliseconds, as the kernel's are;
 * expirations that came at once count as one (timer_getoverrun). */
#ifndef EVY_CPUTIMER_H
#define EVY_CPUTIMER_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* Makes timer, just made, one of them. taker: who gets the watch's sig. Returns 0 or -errno. */
int cputimer_make(timer_t timer, clockid_t clock, pid_t taker, int sig);

/* Whether timer is one of them; then *result is what the call returns: 0 or -errno. */
bool cputimer_set(timer_t timer, int flags, const struct itimerspec *when, struct itimerspec *old,
                  int *result);
bool cputimer_get(timer_t timer, struct itimerspec *when, int *result);
void cputimer_delete(timer_t timer);

/* The kernel's timer of that number has expired: it is a watch. */
void cputimer_came(int id);

/* In a forked child: it has no timers. */
void cputimers_forget(void);

#endif
