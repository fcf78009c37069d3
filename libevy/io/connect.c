/* Green accept and connect. */
#include "io/calls.h"
#include "io/io.h"
#include "real/real.h"

#include "base/sys.h"

#include <netinet/in.h>

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec zero = {0, 0};
    return sys_call6(SYS_ppoll, (long)&p, 1, (long)&zero, 0, 0, 0) != 0;
}

/* The new socket is a stream of the listener's kind and inherits its timeouts (Linux copies them). */
static void learn_accepted(const struct fd *listener, int fd, int flags)
{
    fd_opened(fd, fd_kind(listener), FD_OURS | (flags & SOCK_NONBLOCK ? FD_USER_NONBLOCK : 0));
    struct fd *s = fd_slot(fd);
    for (int dir = FD_READ; s && dir <= FD_WRITE; dir++)
        atomic_store_explicit(&s->timeout[dir], atomic_load(&listener->timeout[dir]),
                              memory_order_relaxed);
}

/* A listener made here stays non-blocking in the kernel; one that other processes share is looked at first,
   since its flag is theirs too. */
static long try_accept(struct io *io, struct sockaddr *addr, socklen_t *len, int flags)
{
    if (io->may_wait && !io_set_nonblock(io) && !readable(io->fd))
        return -EAGAIN;
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

static long connect_result(int fd)
{
    int err = 0;
    socklen_t len = sizeof err;
    if (sys_call6(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, (long)&err, (long)&len, 0) < 0)
        return -EBADF;
    return -err;
}

static bool connected_or_failed(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    struct timespec zero = {0, 0};
    return sys_call6(SYS_ppoll, (long)&p, 1, (long)&zero, 0, 0, 0) != 0;
}

/* An interrupted or timed-out connect goes on in the background, as natively. */
static long finish_connect(struct io *io)
{
    long r = 0;
    while (!connected_or_failed(io->fd))
        if ((r = io_wait(io)))
            return r == -EAGAIN ? -EINPROGRESS : r;
    return connect_result(io->fd);
}

int evy_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct io io;
    if (!io_begin(&io, fd, FD_WRITE, false) || !fd_is_socket(io.slot) || !io.may_wait ||
        !io_set_nonblock(&io))
        return REAL(connect)(fd, addr, len);
    /* A full backlog of a UNIX socket is the one case without an event to wait for: EAGAIN. */
    long r;
    while ((r = or_errno(real.connect(fd, addr, len))) == -EAGAIN && addr->sa_family == AF_UNIX)
        evy_usleep(1000);
    if (r == -EINPROGRESS)
        r = finish_connect(&io);
    io_clear_nonblock(&io);
    return (int)io_end(&io, r);
}
