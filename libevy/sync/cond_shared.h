/* Conditions between processes. */
#ifndef EVY_COND_SHARED_H
#define EVY_COND_SHARED_H

#include "sync/deadline.h"
#include "sync/words.h"

/* As pthread_cond_*; the limit's clock is a valid one. */
int cond_shared_wait(pthread_cond_t *cond, pthread_mutex_t *m, struct limit limit);
int cond_shared_wake(pthread_cond_t *cond, bool all);
int cond_shared_destroy(pthread_cond_t *cond);

#endif
