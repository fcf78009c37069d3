#include "io/look.h"

#include "body/critical.h"
#include "core/sched.h"
#include "sync/cancel.h"

#include <stdlib.h>

int room_make(struct room *room, size_t n)
{
    room->set = (struct fd_wait_set){room->few_entries, room->few_waiters, 0};
    room->many = NULL;
    if (n <= FEW)
        return 0;
    room->many = malloc(2 * n * (sizeof(struct fd_wait_entry) + sizeof(struct waiter)));
    if (!room->many)
        return -ENOMEM;
    room->set.entries = room->many;
    room->set.waiters = (struct waiter *)(room->set.entries + 2 * n);
    return 0;
}

void room_watch(struct room *room, int fd, bool read, bool write)
{
    struct fd *s = fd >= 0 ? fd_known(fd) : NULL;
    if (!s)
        return;
    if (read || !write) /* hang-ups and errors are reported in both directions */
        fd_wait_add(&room->set, s, fd, FD_READ);
    if (write)
        fd_wait_add(&room->set, s, fd, FD_WRITE);
}

/* Who finds something ready each time must not keep the others of its hub from running. */
long look_ends(struct green *g, long r)
{
    if (r == -ECANCELED)
        cancel_now(); /* as natively, with the mask of the wait */
    critical_leave_as(g);
    if (r > 0)
        sched_tick();
    return r == -ETIMEDOUT ? 0 : r;
}
