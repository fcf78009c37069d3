/* Barriers between processes. */
#ifndef EVY_BARRIER_SHARED_H
#define EVY_BARRIER_SHARED_H

#include "sync/words.h"

int barrier_shared_wait(struct shared_barrier *b);
int barrier_shared_destroy(pthread_barrier_t *b);

#endif
