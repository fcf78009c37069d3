/* Green versions of the pthread synchronisation calls. Names and contracts are POSIX's; they serve green
   threads and every other thread alike, and understand glibc's words in objects shared between processes. */
#ifndef EVY_SYNC_H
#define EVY_SYNC_H

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

int evy_pthread_mutex_lock(pthread_mutex_t *m);
int evy_pthread_mutex_trylock(pthread_mutex_t *m);
int evy_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *at);
int evy_pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock, const struct timespec *at);
int evy_pthread_mutex_unlock(pthread_mutex_t *m);
int evy_pthread_mutex_destroy(pthread_mutex_t *m);

int evy_pthread_mutex_consistent(pthread_mutex_t *m);
int evy_pthread_mutex_setprioceiling(pthread_mutex_t *m, int ceiling, int *old);

/* What a condition wait does to its mutex: whoever waits still counts as its user. */
int mutex_cond_unlock(pthread_mutex_t *m);
int mutex_cond_lock(pthread_mutex_t *m);

int evy_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int evy_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *at);
int evy_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                               const struct timespec *at);
int evy_pthread_cond_signal(pthread_cond_t *c);
int evy_pthread_cond_broadcast(pthread_cond_t *c);
int evy_pthread_cond_destroy(pthread_cond_t *c);

int evy_sem_wait(sem_t *s);
int evy_sem_trywait(sem_t *s);
int evy_sem_timedwait(sem_t *s, const struct timespec *at);
int evy_sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *at);
int evy_sem_post(sem_t *s);

int evy_pthread_once(pthread_once_t *once, void (*init)(void));

int evy_pthread_rwlock_rdlock(pthread_rwlock_t *l);
int evy_pthread_rwlock_tryrdlock(pthread_rwlock_t *l);
int evy_pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *at);
int evy_pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *at);
int evy_pthread_rwlock_wrlock(pthread_rwlock_t *l);
int evy_pthread_rwlock_trywrlock(pthread_rwlock_t *l);
int evy_pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *at);
int evy_pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *at);
int evy_pthread_rwlock_unlock(pthread_rwlock_t *l);
int evy_pthread_rwlock_destroy(pthread_rwlock_t *l);

int evy_pthread_barrier_wait(pthread_barrier_t *b);
int evy_pthread_barrier_destroy(pthread_barrier_t *b);

int evy_pthread_spin_lock(pthread_spinlock_t *s);
int evy_pthread_spin_trylock(pthread_spinlock_t *s);
int evy_pthread_spin_unlock(pthread_spinlock_t *s);

/* In the child of a fork: an initialisation that the parent was in the middle of starts anew. */
void once_after_fork(void);

#endif
