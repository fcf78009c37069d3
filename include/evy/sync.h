/* Event, semaphores, locks, wait group. Waiters are served first come, first served. All may be used by every thread of
   the program, green or not, once the runtime runs; only those that libevy runs can be killed or timed out in a wait.

   timeout is in seconds: EVY_FOREVER without end; 0 and less give everybody else one turn and then up. A wait fails with
   errno ETIMEDOUT when it is up, else as all blocking functions (evy/thread.h). NULL objects and NaN give EINVAL. What
   creates an object returns NULL with errno ENOMEM, or EINVAL for its arguments. Nobody may wait for an object that is
   freed. A served wait is never lost to a kill or timeout that comes later: that one hits the next wait. */
#ifndef EVY_SYNC_PUBLIC_H
#define EVY_SYNC_PUBLIC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One value or error, sent once, for any number of waiters. Eventlet: Event. */
typedef struct evy_event evy_event;
evy_event *evy_event_new(void);
void evy_event_free(evy_event *e);

/* Wakes all who wait; never switches. 0, or -1 with EALREADY (sent before), EINVAL. err is positive: every wait fails
   with it from now on. Eventlet: send, send_exception. */
int evy_event_send(evy_event *e, void *value);
int evy_event_send_error(evy_event *e, int err);

/* The value in *value (may be NULL): 0, or -1 with the error that was sent, or ETIMEDOUT & co. Switches unless it was sent
   before. Eventlet's gives None when time is up. */
int evy_event_wait(evy_event *e, void **value, double timeout);

/* Whether it was sent: 1 or 0. Eventlet: ready. */
int evy_event_ready(const evy_event *e);

/* The error that was sent, 0 for none. Eventlet: has_exception. */
int evy_event_error(const evy_event *e);

/* As evy_event_wait, but EAGAIN when nothing was sent. Never switches. Eventlet: poll. */
int evy_event_poll(evy_event *e, void **value);

/* Makes it as new; who was woken keeps what was sent. 0, or -1 with EINVAL when nothing was sent. Eventlet: reset. */
int evy_event_reset(evy_event *e);

/* A counter of permits, at least 0. A bounded one refuses to grow above its initial value. Eventlet: Semaphore,
   BoundedSemaphore. */
typedef struct evy_sem evy_sem;
evy_sem *evy_sem_new(long value);
evy_sem *evy_sem_new_bounded(long value);
void evy_sem_free(evy_sem *s);

/* Takes a permit, behind those who wait. 0 or -1. Switches if it must wait. Eventlet: acquire. */
int evy_sem_acquire(evy_sem *s, double timeout);

/* Takes one if there is one: 0, or -1 with EAGAIN. Never switches. Eventlet: acquire(blocking=False). */
int evy_sem_try(evy_sem *s);

/* Gives one to who has waited longest, or adds it. Never switches. 0, or -1 with EOVERFLOW (bounded). Eventlet: release.
 */
int evy_sem_release(evy_sem *s);

int evy_sem_locked(const evy_sem *s);   /* 1 when acquiring would wait */
long evy_sem_value(const evy_sem *s);   /* permits that are free */
long evy_sem_balance(const evy_sem *s); /* permits minus waiters */

/* A semaphore with an upper limit at which release waits: 0 <= value <= limit. With a limit of 0 acquire and release
   meet. Eventlet: CappedSemaphore(count, limit). */
typedef struct evy_capsem evy_capsem;
evy_capsem *evy_capsem_new(long value, long limit);
void evy_capsem_free(evy_capsem *s);
int evy_capsem_acquire(evy_capsem *s, double timeout);
int evy_capsem_release(evy_capsem *s, double timeout);
int evy_capsem_try_acquire(evy_capsem *s); /* EAGAIN instead of waiting */
int evy_capsem_try_release(evy_capsem *s); /* likewise */

/* The balance of its permits minus that of its room: -limit when it is empty, limit when it is full. */
long evy_capsem_balance(const evy_capsem *s);

/* One holder at a time, any thread may release: EPERM when nobody holds it. Eventlet: Lock. */
typedef struct evy_lock evy_lock;
evy_lock *evy_lock_new(void);
void evy_lock_free(evy_lock *l);
int evy_lock_acquire(evy_lock *l, double timeout);
int evy_lock_try(evy_lock *l); /* EAGAIN */
int evy_lock_release(evy_lock *l);
int evy_lock_locked(const evy_lock *l);
int evy_lock_reinit(
    evy_lock *l); /* unlocked, waiters forgotten: in the child of a fork. 0 or -1 EINVAL */

/* A lock that its holder, who releases it before it ends, may take again; release is EPERM for everybody else, and all is on threads that libevy does not
   run. Eventlet: zmq's _QueueLock. */
typedef struct evy_rlock evy_rlock;
evy_rlock *evy_rlock_new(void);
void evy_rlock_free(evy_rlock *l);
int evy_rlock_acquire(evy_rlock *l, double timeout);
int evy_rlock_release(evy_rlock *l);

/* A wait group: waits last while its counter is above 0. evy_wg_add counts n up, n > 0; evy_wg_done one down: EINVAL at 0.
   Eventlet: coros.metaphore, whose dec at 0 is an error, too. */
typedef struct evy_wg evy_wg;
evy_wg *evy_wg_new(void);
void evy_wg_free(evy_wg *w);
int evy_wg_add(evy_wg *w, long n);
int evy_wg_done(evy_wg *w);
int evy_wg_wait(evy_wg *w, double timeout);

#ifdef __cplusplus
}
#endif

#endif
