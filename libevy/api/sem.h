/* A semaphore as a part of other objects. */
#ifndef EVY_API_SEM_H
#define EVY_API_SEM_H

#include "api/api.h"

#include <evy/sync.h>

#include <limits.h>

struct evy_sem {
    struct spin lock;    /* protects the rest */
    struct list waiters; /* turns; empty while free > 0 */
    long waiting;        /* their number */
    long free;           /* permits nobody has */
    long limit;          /* free may not exceed it */
};

void sem_init_as(evy_sem *s, long value, long limit);

/* Takes a permit by then. 0 or -errno. */
int sem_take(evy_sem *s, deadline_t d);
int sem_try(evy_sem *s); /* 0 or -EAGAIN */

/* Gives a permit; -EOVERFLOW above the limit. */
int sem_give(evy_sem *s);

#endif
