/* Calls that close numbers or put something else there. Where the runtime has a descriptor of its own the program
   sees an empty number: closing spares it, dup2 makes it give way. */
#include "io/calls.h"

#include "core/own_fd.h"
#include "io/fdtab.h"
#include "io/io.h"
#include "io/watch.h"
#include "real/real.h"
#include "sync/cancel.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>

bool fd_is_runtime(int fd)
{
    if (unlikely(own_fd_is(fd)))
        return true;
    struct fd *s = fd_slot(fd);
    return s && unlikely(fd_has(s, FD_PRIVATE));
}

int evy_close(int fd)
{
    if (unlikely(fd_is_runtime(fd)))
        return (int)errno_edge(-EBADF);
    cancel_point();
    fd_closing(fd);
    return REAL(close)(fd);
}

/* Closes what the program has from first to last, which lie in numbers that the fd table covers. */
static int close_known(unsigned first, unsigned last)
{
    for (unsigned fd = first; fd <= last; fd++) {
        if (!fd_is_runtime((int)fd)) {
            fd_closing((int)fd);
            continue;
        }
        if (fd > first)
            REAL(close_range)(first, fd - 1, 0);
        first = fd + 1;
    }
    return first <= last ? REAL(close_range)(first, last, 0) : 0;
}

/* Ours are closed at exec anyway; a table of descriptors of its own is for who is about to exec in a child. */
int evy_close_range(unsigned first, unsigned last, int flags)
{
    unsigned known = fd_slots();
    if (flags || first > last || first >= known)
        return REAL(close_range)(first, last, flags);
    int r = close_known(first, last < known ? last : known - 1);
    return r || last < known ? r : REAL(close_range)(known, last, 0);
}

void evy_closefrom(int first)
{
    evy_close_range(first > 0 ? (unsigned)first : 0, UINT_MAX, 0);
}

/* To epoll a UNIX stream whose buffer is full is not ready to be written when it is shut down. */
int evy_shutdown(int fd, int how)
{
    int r = REAL(shutdown)(fd, how);
    struct fd *s = r == 0 ? fd_slot(fd) : NULL;
    if (s) {
        fd_edge(s, FD_READ, UINT_MAX);
        fd_edge(s, FD_WRITE, UINT_MAX);
    }
    return r;
}

int evy_closedir(DIR *d)
{
    if (d)
        fd_closing(dirfd(d));
    return REAL(closedir)(d);
}

int evy_mq_close(mqd_t queue)
{
    fd_closing(queue);
    return REAL(mq_close)(queue);
}

int evy_dup(int fd)
{
    int new = fd_is_runtime(fd) ? (int)errno_edge(-EBADF) : REAL(dup)(fd);
    if (new >= 0)
        fd_duplicated(fd, new);
    return new;
}

/* What is at new goes only if the call succeeds, that is if old is a descriptor. */
static int duplicate_to(int old, int new, int flags)
{
    if (fd_is_runtime(old) || or_errno(REAL(fcntl)(old, F_GETFD)) < 0)
        return -EBADF;
    int r = own_fd_give_way(new);
    if (r)
        return r;
    fd_closing(new);
    own_fds_hold();
    r = (int)or_errno(REAL(dup3)(old, new, flags));
    own_fds_release();
    if (r >= 0)
        fd_duplicated(old, r);
    return r;
}

int evy_dup3(int old, int new, int flags)
{
    if (old == new || new < 0 || flags & ~O_CLOEXEC)
        return REAL(dup3)(old, new, flags);
    return (int)errno_edge(duplicate_to(old, new, flags));
}

int evy_dup2(int old, int new)
{
    if (old == new || new < 0)
        return fd_is_runtime(old) ? (int)errno_edge(-EBADF) : REAL(dup2)(old, new);
    return evy_dup3(old, new, 0);
}
