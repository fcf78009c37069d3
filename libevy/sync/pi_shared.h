/* PI mutexes between processes. Who waits in the kernel lends its priority to the very task in the word, and only that task
   may hand the mutex on. So a green thread that uses one gets a kernel thread of its own; EAGAIN where it cannot. The word
   is that kernel thread's tid, with FUTEX_WAITERS while others wait in the kernel. */
#ifndef EVY_PI_SHARED_H
#define EVY_PI_SHARED_H

#include "sync/deadline.h"
#include "sync/words.h"

/* Robust ones, which glibc marks as shared in any case, are not among them. */
static inline bool is_pi_shared(unsigned kind)
{
    return (kind & ~(unsigned)MUTEX_TYPE) == (MUTEX_PI | MUTEX_SHARED);
}

/* As the functions of mutex_full.h. */
int pi_shared_lock(struct mutex *m, unsigned kind, struct limit limit, unsigned users);
int pi_shared_trylock(struct mutex *m, unsigned kind);
int pi_shared_unlock(struct mutex *m, unsigned kind, unsigned users);
bool pi_shared_mine(struct mutex *m);

#endif
