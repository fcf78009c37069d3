/* What poll, select and epoll_wait have in common: look with the real call and no timeout, then wait for an edge on any of
   the descriptors, and look again. */
#ifndef EVY_LOOK_H
#define EVY_LOOK_H

#include "io/watch.h"

#include "proc/signals.h"

#include <errno.h>
#include <stdint.h>

#define FEW 16 /* descriptors whose entries fit on the stack */

#define MASK_BYTES sizeof(uint64_t) /* of a mask, that the kernel reads */

struct room {
    struct fd_wait_set set;                    /* what is waited for */
    struct fd_wait_entry few_entries[FEW * 2]; /* its entries */
    struct waiter few_waiters[FEW * 2];        /* and its waiters */
    void *many;                                /* malloc'ed instead, NULL for few */
};

/* Room for n descriptors in both directions: 0 or -ENOMEM. Given back by free(room->many). */
int room_make(struct room *room, size_t n);

/* The look that follows is at fd, too. Negative or unknown numbers are left out. */
void room_watch(struct room *room, int fd, bool read, bool write);

/* A wait's result: these calls fail with EINTR even for handlers with SA_RESTART (signal(7)). */
static inline long never_restart(long r)
{
    if (r == -EINTR)
        signals_deliver();
    return r;
}

/* The call of g, the running one, ends with r: what remains of it, outside the critical section of looks and waits. */
long look_ends(struct green *g, long r);

#endif
