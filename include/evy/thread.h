/* Green threads. The first call starts the runtime: the program's main thread becomes a green thread of hub 0.

   Green threads of a hub run one at a time and change only where one waits: in a call that the documentation says may
   switch, or in one of libc's that is patched (evy/patch.h). So they need no locks among themselves, and nobody else of
   them runs while one computes. They share their kernel thread's locals (__thread), as Eventlet's do, unless
   EVY_OWN_TCB says otherwise or the thread subset is patched; errno each has for itself.

   Handles. evy_spawn & co. return a handle that keeps the green thread's memory until evy_gt_unref, also after its end.
   evy_spawn_n and evy_getcurrent lend one: it is valid until that green thread ends, or as long as somebody holds a
   reference (evy_gt_ref). Handles of threads made by pthread_create can be killed, named and compared, not waited for.

   Durations are seconds. EVY_FOREVER waits without end; a negative one counts as 0; NaN is EINVAL. What a blocking
   function of libevy answers besides its own errors:
     ECANCELED  evy_kill has ended this wait (or the errno given to evy_kill)
     ETIMEDOUT  a timeout of evy/timeout.h has ended this wait (or the errno it was armed with)
     EDEADLK    called from a callback of the hub, which must not wait
     EPERM      the caller is a kernel thread that libevy does not run
     EAGAIN, ENOTSUP  the runtime cannot be started: no memory; a libc whose layout is not understood
     ENOMEM     no memory for a timer */
#ifndef EVY_THREAD_PUBLIC_H
#define EVY_THREAD_PUBLIC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EVY_FOREVER 1e300

/* A green thread. */
typedef struct evy_gt evy_gt;

/* What a green thread runs, and what it gives to those who wait for it. */
typedef void *(*evy_fn)(void *arg);

/* A new green thread calls fn(arg) when the caller waits next; those spawned first run first. Never switches. Returns a
   handle (evy_gt_unref), or NULL with errno EINVAL (fn is NULL), EAGAIN, ENOTSUP, EPERM. Eventlet: spawn. */
evy_gt *evy_spawn(evy_fn fn, void *arg);

/* The same, cheaper: nobody can wait for it or link to it. The handle is lent. Eventlet: spawn_n. */
evy_gt *evy_spawn_n(evy_fn fn, void *arg);

/* The same as evy_spawn, but after that many seconds, also when the caller has ended by then; 0 is evy_spawn. Errors as
   there and ENOMEM, EINVAL (NaN). Eventlet: spawn_after. */
evy_gt *evy_spawn_after(double seconds, evy_fn fn, void *arg);

/* The same, but nothing is run if the spawning green thread is dead by then: the new one ends with ECANCELED (Eventlet's
   never ends). Eventlet: spawn_after_local. */
evy_gt *evy_spawn_after_local(double seconds, evy_fn fn, void *arg);

enum {
    EVY_OWN_TCB = 1
}; /* its own thread control block: __thread variables of its own, pthread_self of its own */

/* How evy_spawn_ex is to make one. All zero: as evy_spawn. */
typedef struct evy_attr {
    size_t stack;     /* bytes, at least 16384; 0: the default (evy_set_stack_size) */
    unsigned flags;   /* EVY_OWN_TCB or 0 */
    const char *name; /* NULL: none; see evy_gt_set_name */
} evy_attr;

/* As evy_spawn. attr may be NULL. EINVAL also for a stack that is too small, unknown flags, a name that is too long. C
   alone needs this: Eventlet's stacks grow. */
evy_gt *evy_spawn_ex(const evy_attr *attr, evy_fn fn, void *arg);

/* Stack of green threads that ask for none, guard page included, in bytes, from now on; at the start EVY_STACK or 64 KiB. Pages are taken as
   they are touched. Returns 0, or -1 with errno EINVAL below 16384. Does not switch. */
int evy_set_stack_size(size_t bytes);

/* Lets every other runnable green thread run and I/O be polled once (0 or less), or waits that many seconds. Returns 0,
   or -1 with the errno of blocking functions; in a callback of the hub 0 seconds return at once. Switches. A kernel
   thread that libevy does not run sleeps natively. Eventlet: sleep. */
int evy_sleep(double seconds);

/* Lets every other runnable green thread run, without a look at I/O: cheaper than evy_sleep(0). Returns 0 or -1 as
   evy_sleep. Switches. Evy: cede. */
int evy_cede(void);

/* The running green thread, lent; NULL with errno EPERM, EAGAIN or ENOTSUP. Does not switch. Eventlet: getcurrent. */
evy_gt *evy_getcurrent(void);

/* Takes a reference more, or gives one back: the last one frees. evy_gt_ref returns g, NULL with errno EINVAL for a
   thread that evy_spawn* did not make. evy_gt_unref(NULL) does nothing. Any thread; no switch. */
evy_gt *evy_gt_ref(evy_gt *g);
void evy_gt_unref(evy_gt *g);

/* Waits until g has ended. Returns 0 with what it returned in *result (if not NULL), or -1 with errno: what g ended with
   (evy_exit_error, a kill before its start), EDEADLK (g is the caller: Eventlet waits for ever), EINVAL (NULL, or made
   by evy_spawn_n), or that of blocking functions. evy_gt_error tells g's own errors from those. Any number may wait,
   any number of times, also afterwards. Switches unless g has ended. Eventlet: GreenThread.wait. */
int evy_gt_wait(evy_gt *g, void **result);

/* The same, for that long at most: ETIMEDOUT. */
int evy_gt_wait_timeout(evy_gt *g, void **result, double seconds);

/* Waits for all of them in turn: 0 with results[i] of gts[i] (results may be NULL), or -1 with errno at the first that has
   ended by an error, or when the wait fails: the others run on. Eventlet: proc.waitall. */
int evy_waitall(evy_gt *const *gts, size_t count, void **results);

/* The errno g has ended with, 0 while it has not ended or when it ended normally. EINVAL is returned for NULL. */
int evy_gt_error(evy_gt *g);

/* 1 from the moment g begins to run, to its end; 0 before and after. Eventlet: a GreenThread's truth value. */
int evy_gt_started(evy_gt *g);

/* 1 once g has ended, also without having begun. Eventlet: GreenThread.dead. */
int evy_gt_dead(evy_gt *g);

/* cb(g, arg) is called when g ends: on g's stack, links in the order they were made, before those who wait for g go on;
   at once if g has ended. cb may wait for g (it returns at once), link and unlink. Returns 0, or -1 with errno EINVAL
   (NULL, evy_spawn_n), ENOMEM. Does not switch by itself. Eventlet: GreenThread.link. */
int evy_gt_link(evy_gt *g, void (*cb)(evy_gt *g, void *arg), void *arg);

/* Takes the first such link of exactly cb and arg back. Returns 0, or -1 with errno ENOENT (none, or called already),
   EINVAL. Eventlet: GreenThread.unlink. */
int evy_gt_unlink(evy_gt *g, void (*cb)(evy_gt *g, void *arg), void *arg);

/* The blocking call g is in, or its next one, fails with err (0: ECANCELED), once: later calls wait as ever. Code that ignores
   the errors of its waits ignores kills, too. A g that waits runs first, and the caller goes on behind everybody who is runnable; one of another hub
   gets it when that runs it. A g that has not begun never runs: it is dead at once, its links run now, those who wait
   get err. A dead g is left alone. Killing oneself fails here and now. Not interrupted: waiting for a pthread mutex,
   rwlock or barrier, and calls libevy runs on another kernel thread (flock, opening a FIFO, name lookups, ...), after
   which the next wait fails. Returns 0, or -1 with errno EINVAL (NULL, err negative), for
   oneself err. Switches; in a callback of the hub g runs soon after. Eventlet: kill. */
int evy_kill(evy_gt *g, int err);

/* Kills all of them in turn, those that have not begun first. 0, or -1 with errno EINVAL. Eventlet: proc.killall. */
int evy_killall(evy_gt *const *gts, size_t count, int err);

/* Kills g only if it has not begun. Returns 1, 0 when it is too late, -1 with errno EINVAL. Eventlet: cancel. */
int evy_cancel(evy_gt *g, int err);

/* As evy_kill of the main thread, but without running it now: for handlers and links. If main does not wait then, its
   next wait fails. Returns 0, or -1 with errno EPERM
   when no runtime runs. Async-signal-safe. Eventlet: KeyboardInterrupt surfaces in main. */
int evy_interrupt_main(int err);

/* Ends the running green thread: those who wait get result, or errno err (0 counts as ECANCELED). Cleanups, links and
   locals' destructors run; no frame is unwound. On a thread not made by libevy's spawns as pthread_exit. */
#ifdef __cplusplus
[[noreturn]]
#else
__attribute__((noreturn))
#endif
void evy_exit(void *result);
#ifdef __cplusplus
[[noreturn]]
#else
__attribute__((noreturn))
#endif
void evy_exit_error(int err);

/* What `finally` is for: fn(arg) runs when the green thread ends with it still pushed, last pushed first. c is the
   caller's, usually on the stack. evy_cleanup_pop takes the innermost one back and calls it if run is not 0. Only for
   green threads made by evy_spawn*. Return 0, or -1 with errno EPERM, EINVAL (nothing pushed). */
typedef struct evy_cleanup {
    void *opaque[2];
    void (*fn)(void *);
    void *arg;
} evy_cleanup;
int evy_cleanup_push(evy_cleanup *c, void (*fn)(void *), void *arg);
int evy_cleanup_pop(int run);

/* A name for listings, at most 15 characters. 0, or -1 with errno EINVAL, ERANGE (longer). evy_gt_name never answers
   NULL; it is "" when none was set. */
int evy_gt_set_name(evy_gt *g, const char *name);
const char *evy_gt_name(evy_gt *g);

/* Variables of which each green thread has its own. dtor (or NULL) gets what is not NULL when its green thread ends.
   evy_local_key_create returns a key, or -1 with errno EAGAIN (1,024 are in use for good: keys are never deleted);
   evy_local_get the value, NULL at first; evy_local_set 0, or -1 with errno EINVAL (no such key), ENOMEM, EPERM. None
   switches. Eventlet: corolocal.local. */
int evy_local_key_create(void (*dtor)(void *));
void *evy_local_get(int key);
int evy_local_set(int key, void *value);

/* A number that tells the running green thread from all others alive, 0 on a thread libevy does not run. Eventlet:
   corolocal.get_ident. */
unsigned long evy_ident(void);

#ifdef __cplusplus
}
#endif

#endif
