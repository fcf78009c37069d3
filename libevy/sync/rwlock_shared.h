/* Read-write locks between processes: glibc's, waited for in a call declared blocking. */
#ifndef EVY_RWLOCK_SHARED_H
#define EVY_RWLOCK_SHARED_H

#include "sync/deadline.h"
#include "sync/words.h"

/* As pthread_rwlock_*; the limit's clock is a valid one. */
int rwlock_shared_lock(pthread_rwlock_t *l, bool write, struct limit limit);
int rwlock_shared_trylock(pthread_rwlock_t *l, bool write);
int rwlock_shared_unlock(pthread_rwlock_t *l);

#endif
