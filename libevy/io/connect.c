/* Green accept and connect. */
#include "io/blocking.h"
#include "io/calls.h"
#include "io/io.h"
#include "real/real.h"

#include "core/lot.h"

#include <netinet/in.h>

/* The new socket is a stream of the listener's kind. Whether it inherits options is its family's affair: where there are
   any the kernel is asked. */
static void learn_accepted(const struct fd *listener, int fd, int flags)
{
    fd_opened(fd, fd_kind(listener), FD_OURS | (flags & SOCK_NONBLOCK ? FD_USER_NONBLOCK : 0));
    struct fd *s = fd_slot(fd);
    if (s && (fd_has(listener, FD_LOW_WATER) || atomic_load(&listener->timeout[FD_READ]) ||
              atomic_load(&listener->timeout[FD_WRITE])))
        fd_learn_options(s, fd);
}

/* A listener made here stays non-blocking in the kernel; one that other processes share is looked at first,
   since its flag is theirs too, and where one of them is faster the call waits like any other that blocks. */
static long try_accept(struct io *io, struct sockaddr *addr, socklen_t *len, int flags)
{
    if (io->may_wait && !io_set_nonblock(io)) {
        if (!fd_ready(io->fd, POLLIN))
            return -EAGAIN;
        return or_errno(BLOCKING(POINT, int, real.accept4(io->fd, addr, len, flags)));
    }
    return or_errno(real.accept4(io->fd, addr, len, flags));
}

int evy_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct io io;
    if (!io_begin(&io, fd, FD_READ, false) || !fd_is_socket(io.slot))
        return REAL(accept4)(fd, addr, len, flags);
    long r = IO_TRY(&io, try_accept(&io, addr, len, flags));
    if (r >= 0)
        learn_accepted(io.slot, (int)r, flags);
    return (int)io_end(&io, r);
}

int evy_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    return evy_accept4(fd, addr, len, 0);
}

#define BACKLOG_LOOKS 1000000 /* ns between two */

/* A full backlog of a UNIX socket is the one case without an event to wait for. */
static long wait_for_backlog(struct io *io)
{
    if (deadline_left(io_deadline(io)) == 0)
        return -EAGAIN;
    long r = interrupted(lot_sleep(deadline_after(BACKLOG_LOOKS)));
    return r == -ETIMEDOUT ? 0 : r;
}

static long wait_for_peer(struct io *io)
{
    long r = 0;
    while (r == 0 && !fd_ready(io->fd, POLLOUT))
        r = io_wait(io);
    return r;
}

/* Only connect itself, asked again, turns the socket from connecting to connected or tells the error and makes it
   fit for another try. An interrupted or timed-out one goes on in the background, as natively. */
static long connect_steps(struct io *io, const struct sockaddr *addr, socklen_t len)
{
    for (;;) {
        long r = or_errno(real.connect(io->fd, addr, len)), waited;
        if (r == -EINPROGRESS || r == -EALREADY)
            waited = wait_for_peer(io);
        else if (r == -EAGAIN && addr->sa_family == AF_UNIX)
            waited = wait_for_backlog(io);
        else
            return r;
        if (waited)
            return waited == -EAGAIN ? r : waited;
    }
}

int evy_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct io io;
    if (!io_begin(&io, fd, FD_WRITE, false) || !fd_is_socket(io.slot) || !io.may_wait ||
        !io_set_nonblock(&io))
        return REAL(connect)(fd, addr, len);
    long r = connect_steps(&io, addr, len);
    io_clear_nonblock(&io);
    return (int)io_end(&io, r);
}
