/* Timeouts: a timer, in memory of the caller's, that ends the wait its green thread is in when it fires, or the next one:
   that call fails with the timeout's errno, once. Whoever started it cancels it, in any order, before its memory goes;
   one that is forgotten hits some later call. Timeouts nest: each keeps its own time, and evy_timeout_fired tells whose
   the failure is. They end waits of libevy's functions and of green libc calls; not computations, waits for pthread
   mutexes, rwlocks and barriers, and not the work of another kernel thread, which goes on without the caller. Eventlet: Timeout. */
#ifndef EVY_TIMEOUT_PUBLIC_H
#define EVY_TIMEOUT_PUBLIC_H

#ifdef __cplusplus
extern "C" {
#endif

/* All zero before its first use: evy_timeout t = EVY_TIMEOUT_INIT. */
typedef struct evy_timeout {
    void *opaque[8];
} evy_timeout;

#define EVY_TIMEOUT_INIT                                                                           \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* Starts t for the running green thread: after that many seconds a wait fails with err (0: ETIMEDOUT). 0 and less fire at
   the next wait, never in between; EVY_FOREVER never. Timeouts that are due at once fire in the order they were
   started, each at a wait of its own. Returns 0, or -1 with errno EBUSY (it is pending), EINVAL (NULL, NaN, err
   negative), ENOMEM, or EPERM & co. of evy/thread.h. Does not switch. Eventlet: Timeout.start. */
int evy_timeout_start(evy_timeout *t, double seconds, int err);

/* Ends t, of the running green thread's; what it has not delivered yet is withdrawn. Returns 1 when it had fired, 0 when
   not; any number of times. Does not switch. Eventlet: Timeout.cancel. */
int evy_timeout_cancel(evy_timeout *t);

/* 1 while t is started and has not fired. Eventlet: Timeout.pending. */
int evy_timeout_pending(const evy_timeout *t);

/* 1 once t has fired, until it is started again: the question "is it my timeout?" */
int evy_timeout_fired(const evy_timeout *t);

/* The timeout behind the last wait of this green thread that a timeout or kill has ended; NULL when that was a kill, or
   there was none. */
evy_timeout *evy_timeout_last(void);

/* Runs fn(arg) in the running green thread with a timeout around it. Returns what fn returns; if that is negative
   because this timeout fired, *timed_out (may be NULL) is 1 and errno is ETIMEDOUT, else 0. -1 as evy_timeout_start, fn
   not called. Switches when fn does. Eventlet: with_timeout. */
int evy_with_timeout(double seconds, int (*fn)(void *arg), void *arg, int *timed_out);

/* Whether an errno means that time was up: ETIMEDOUT, ETIME. Not EAGAIN, which calls on a socket with a limit answer then
   (evy_set_timeout), but those with O_NONBLOCK at any time. Eventlet: is_timeout. */
int evy_is_timeout(int err);

/* EVY_WITH_TIMEOUT(&t, seconds) { ... } starts and cancels t around the block, which is left at its end or by continue,
   not by break, goto or return. Afterwards evy_timeout_fired(&t) tells. Eventlet: with Timeout(seconds, False). */
#define EVY_WITH_TIMEOUT(t, seconds) EVY_TIMEOUT_BLOCK(t, seconds, __LINE__)

/* Blocks nest without hiding each other's variable. */
#define EVY_TIMEOUT_BLOCK(t, seconds, line) EVY_TIMEOUT_LOOP(t, seconds, line)
#define EVY_TIMEOUT_LOOP(t, seconds, line)                                                         \
    for (int evy_once_##line = evy_timeout_start(t, seconds, 0) == 0; evy_once_##line;             \
         evy_once_##line = (evy_timeout_cancel(t), 0))

#ifdef __cplusplus
}
#endif

#endif
