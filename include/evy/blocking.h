/* Functions that block their kernel thread, called by green threads without holding up the others (Eventlet's tpool). */
#ifndef EVY_BLOCKING_PUBLIC_H
#define EVY_BLOCKING_PUBLIC_H

#include <evy/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Calls fn(arg) on a kernel thread of its own and waits for it: others of the hub run meanwhile, in parallel with fn,
   cooperative ones too. fn runs as a thread with its own __thread variables and with every signal blocked; it may use
   libevy. Returns 0 with what fn returned in *result (if not NULL) and errno as fn left it, or -1 with errno that of
   blocking functions, EAGAIN (no memory for a thread), EINVAL (fn is NULL), ECANCELED (also when fn has called
   pthread_exit). A caller whose wait is ended by evy_kill or a timeout leaves at once: fn is completed all the same,
   and its result dropped, so arg must live until then. On a kernel thread that libevy does not run, and within such an
   fn, it is an ordinary call. Switches. Eventlet: tpool.execute. */
int evy_blocking(evy_fn fn, void *arg, void **result);

/* How many may run at a time, together with what libevy runs on kernel threads of its own accord (name lookups, fsync,
   flock and their like); who comes later waits for a turn. At the start EVY_BLOCKING_THREADS or 256.
   evy_blocking_set_threads returns 0, or -1 with errno EINVAL (0, or more than 1,000). Those that run are not cut short.
   Neither switches. Eventlet: tpool.set_num_threads. */
unsigned evy_blocking_threads(void);
int evy_blocking_set_threads(unsigned most);

/* Waits until no function given to evy_blocking runs or waits for its turn, those that were left included, for that many
   seconds at most. Returns 0, or -1 with errno ETIMEDOUT or that of blocking functions, EDEADLK also within such an fn.
   New ones may come afterwards. Switches. Eventlet: tpool.killall. */
int evy_blocking_finish(double seconds);

#ifdef __cplusplus
}
#endif

#endif
