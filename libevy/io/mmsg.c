/* Green recvmmsg and sendmmsg. */
#include "io/calls.h"

#include "arch/probe.h"
#include "base/clock.h"
#include "io/io.h"
#include "io/iov.h"
#include "real/real.h"
#include "sync/cancel.h"

#define MOST 1024 /* messages the kernel takes in one call */

/* Linux looks at the clock after each datagram, never while it waits for one. */
static bool late(struct timespec *timeout, deadline_t deadline)
{
    if (!timeout)
        return false;
    int64_t left = deadline_left(deadline);
    if (deadline != DEADLINE_NEVER)
        *timeout = ns_to_timespec(left);
    return left == 0;
}

static long receive(struct io *io, struct mmsghdr *vec, unsigned n, int flags,
                    struct timespec *timeout, deadline_t deadline)
{
    unsigned got = 0;
    long r;
    do {
        unsigned step = timeout ? 1 : n - got;
        io->deadline = 0; /* SO_RCVTIMEO is the wait for one datagram */
        r = IO_TRY(io,
                   or_errno(real.recvmmsg(io->fd, vec + got, step, flags | MSG_DONTWAIT, NULL)));
        if (r <= 0)
            break;
        got += (unsigned)r;
        if (flags & MSG_WAITFORONE)
            io->may_wait = false;
    } while (got < n && !(vec[got - 1].msg_hdr.msg_flags & MSG_OOB) && !late(timeout, deadline));
    return got ? (long)got : r;
}

int evy_recvmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags, struct timespec *timeout)
{
    struct io io;
    deadline_t deadline;
    cancel_point();
    if (n == 0 || !probe(vec, (size_t)n * sizeof *vec) || !probe_given(timeout, sizeof *timeout) ||
        deadline_from_rel(timeout, &deadline) || !recv_begin(&io, fd, flags))
        return REAL(recvmmsg)(fd, vec, n, flags, timeout);
    return (int)io_end(&io, receive(&io, vec, n < MOST ? n : MOST, flags, timeout, deadline));
}

/* Message by message, as each must have gone out whole before the next begins. */
static long send_stream(int fd, struct mmsghdr *vec, unsigned n, int flags)
{
    unsigned sent = 0;
    bool whole = true;
    while (whole && sent < n) {
        const struct msghdr *msg = &vec[sent].msg_hdr;
        ssize_t r = evy_sendmsg(fd, msg, flags);
        if (r < 0)
            return sent ? (long)sent : -errno;
        whole = (size_t)r == iov_bytes(msg->msg_iov, msg->msg_iovlen);
        vec[sent++].msg_len = (unsigned)r;
    }
    return (long)sent;
}

static long send_datagrams(struct io *io, struct mmsghdr *vec, unsigned n, int flags)
{
    unsigned sent = 0;
    long r = 0;
    for (unsigned i = 0; i < n; i++)
        if (msg_is_good(&vec[i].msg_hdr))
            share_passed(&vec[i].msg_hdr);
    while (sent < n) {
        io->deadline = 0;
        r = IO_TRY(io, or_errno(real.sendmmsg(io->fd, vec + sent, n - sent, flags | MSG_DONTWAIT)));
        if (r <= 0)
            break;
        sent += (unsigned)r;
    }
    return sent ? (long)sent : r;
}

int evy_sendmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags)
{
    struct io io;
    cancel_point();
    if (n == 0 || !probe(vec, (size_t)n * sizeof *vec) ||
        !io_begin(&io, fd, FD_WRITE, flags & MSG_DONTWAIT) || !fd_is_socket(io.slot))
        return REAL(sendmmsg)(fd, vec, n, flags);
    if (n > MOST)
        n = MOST;
    if (fd_is_stream(io.slot))
        return (int)errno_edge(send_stream(fd, vec, n, flags));
    return (int)io_end(&io, send_datagrams(&io, vec, n, flags));
}
