/* Green recv and send families. Sockets are asked with MSG_DONTWAIT, so O_NONBLOCK stays as the program
   left it. */
#include "io/calls.h"

#include "io/io.h"
#include "real/real.h"

#include "arch/probe.h"
#include "base/sys.h"
#include "body/observe.h"
#include "core/stats.h"
#include "io/iov.h"
#include "proc/signals.h"

#include <limits.h>
#include <sys/ioctl.h>

static bool send_begin(struct io *io, int fd, int flags)
{
    return io_begin(io, fd, FD_WRITE, flags & MSG_DONTWAIT) && fd_is_socket(io->slot);
}

bool recv_begin(struct io *io, int fd, int flags)
{
    bool nonblock = flags & (MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE);
    return io_begin(io, fd, FD_READ, nonblock) && fd_is_socket(io->slot);
}

/* The call that would say EAGAIN is spared. */
static bool known_empty(const struct io *io)
{
    bool empty = io->may_wait && io_drained(io);
    if (empty && observes(OBSERVE_STATS))
        stats_saved();
    return empty;
}

/* A short read of a TCP stream took all there was, unless the stream has ended or holds urgent data. It
   proves so only when edges were counted from before the read. */
static void note_drained(const struct io *io, long got, size_t wanted, int flags)
{
    struct fd *s = io->slot;
    bool all = got > 0 && (size_t)got < wanted && fd_kind(s) == FD_TCP &&
               !(flags & ~MSG_DONTWAIT) && atomic_load_explicit(&s->watch, memory_order_relaxed);
    atomic_store_explicit(&s->drained, all ? io->seq : 0, memory_order_relaxed);
}

static EVY_COLD bool below_low_water(const struct io *io, size_t n)
{
    int queued = 0;
    if (!io->may_wait || fd_kind(io->slot) != FD_TCP || fd_ready(io->fd, POLLIN))
        return false;
    sys3(SYS_ioctl, io->fd, FIONREAD, &queued);
    return (size_t)queued < n;
}

/* SO_RCVLOWAT: TCP tells of data only when that much is there, so nothing may be taken before. */
static inline bool too_little(const struct io *io, size_t n)
{
    return unlikely(fd_has(io->slot, FD_LOW_WATER)) && below_low_water(io, n);
}

/* And who waits no longer takes what is there. */
static bool takes_less(const struct io *io, long r)
{
    return (r == -EAGAIN || r == -EINTR) && fd_has(io->slot, FD_LOW_WATER) && io->waited;
}

static EVY_COLD size_t more_than_one(const struct io *io, size_t n, int flags)
{
    if (flags & MSG_PEEK || !io->may_wait || !fd_is_stream(io->slot))
        return 1;
    if (flags & MSG_WAITALL)
        return n;
    size_t low = (size_t)fd_option(io->fd, SO_RCVLOWAT);
    return low < n ? low : n;
}

/* How much a call that asks for n bytes waits for. */
static inline size_t least(const struct io *io, size_t n, int flags)
{
    bool one = !(flags & MSG_WAITALL) && !fd_has(io->slot, FD_LOW_WATER);
    return likely(one) ? 1 : more_than_one(io, n, flags);
}

/* libc's own would open and close a section in which it can be cancelled: two atomic operations on a cache line of the
   TCB that nothing else needs. */
static long recv_now(int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                     socklen_t *addrlen)
{
    if (likely(real_net_is_libc))
        return sys_call6(SYS_recvfrom, fd, (long)buf, (long)n, flags, (long)addr, (long)addrlen);
    return or_errno(real.recvfrom(fd, buf, n, flags, addr, addrlen));
}

static long send_now(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                     socklen_t len)
{
    if (likely(real_net_is_libc))
        return sys_call6(SYS_sendto, fd, (long)buf, (long)n, flags, (long)addr, (long)len);
    return or_errno(real.sendto(fd, buf, n, flags, addr, len));
}

ssize_t evy_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                     socklen_t *addrlen)
{
    struct io io;
    if ((addr && !probe(addrlen, sizeof *addrlen)) || !recv_begin(&io, fd, flags))
        return REAL(recvfrom)(fd, buf, n, flags, addr, addrlen);
    size_t enough = least(&io, n, flags);
    socklen_t room = addr ? *addrlen : 0;
    long r = known_empty(&io) ? io_wait(&io) : 0;
    while (r == 0) {
        if (addr)
            *addrlen = room;
        r = IO_TRY(&io, io_failed_midway(&io) ? 0
                        : too_little(&io, n - io.done)
                            ? -EAGAIN
                            : recv_now(fd, (char *)buf + io.done, n - io.done, flags | MSG_DONTWAIT,
                                       addr, addrlen));
        if (r > 0)
            note_drained(&io, r, n - io.done, flags);
        if (r <= 0)
            break;
        io.done += (size_t)r;
        if (io.done >= enough)
            break;
        r = 0;
    }
    if (unlikely(r < 0 && !io.done && takes_less(&io, r))) {
        long left = recv_now(fd, buf, n, flags | MSG_DONTWAIT, addr, addrlen);
        r = left > 0 ? left : r;
    }
    return io_end(&io, io.done ? (long)io.done : r);
}

ssize_t evy_recv(int fd, void *buf, size_t n, int flags)
{
    return evy_recvfrom(fd, buf, n, flags, NULL, NULL);
}

static bool has_fds(const struct msghdr *msg)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    while (c && !(c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS))
        c = CMSG_NXTHDR((struct msghdr *)msg, c);
    return c;
}

/* The rest of a message that is waited for whole, with control data that comes later: as natively, descriptors end it.
   control: bytes there is room for. */
static long recv_rest(struct io *io, struct msghdr *msg, size_t control, size_t enough, int flags)
{
    while (io->done < enough && !has_fds(msg)) {
        struct iovec part[IOV_PART];
        struct msghdr rest = {
            .msg_iov = part, .msg_control = msg->msg_control, .msg_controllen = control};
        rest.msg_iovlen = iov_rest(part, msg->msg_iov, msg->msg_iovlen, io->done);
        long r = IO_TRY(io, io_failed_midway(io)
                                ? 0
                                : or_errno(real.recvmsg(io->fd, &rest, flags | MSG_DONTWAIT)));
        if (r <= 0)
            break;
        io->done += (size_t)r;
        msg->msg_flags |= rest.msg_flags;
        if (rest.msg_controllen)
            msg->msg_controllen = rest.msg_controllen;
    }
    return (long)io->done;
}

bool msg_is_good(const struct msghdr *msg)
{
    return probe(msg, sizeof *msg) && msg->msg_iovlen <= IOV_MAX &&
           probe(msg->msg_iov, msg->msg_iovlen * sizeof *msg->msg_iov) &&
           probe_given(msg->msg_control, msg->msg_controllen);
}

ssize_t evy_recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct io io;
    if (!msg_is_good(msg) || !recv_begin(&io, fd, flags))
        return REAL(recvmsg)(fd, msg, flags);
    struct msghdr room = *msg; /* the kernel writes lengths into msg at each try */
    size_t n = iov_bytes(msg->msg_iov, msg->msg_iovlen);
    long r =
        IO_TRY(&io, too_little(&io, n)
                        ? -EAGAIN
                        : (*msg = room, or_errno(real.recvmsg(fd, msg, flags | MSG_DONTWAIT))));
    if (unlikely(takes_less(&io, r))) {
        *msg = room;
        long left = or_errno(real.recvmsg(fd, msg, flags | MSG_DONTWAIT));
        r = left > 0 ? left : r;
    } else if (r > 0) {
        io.done = (size_t)r;
        r = recv_rest(&io, msg, room.msg_controllen, least(&io, n, flags), flags);
    }
    return io_end(&io, r);
}

/* The kernel would send SIGPIPE to the carrier, whose mask is not the green thread's: it is raised here instead,
   where a stream's call that has sent nothing fails. */
static int quiet(const struct io *io)
{
    return MSG_DONTWAIT | (fd_is_stream(io->slot) ? MSG_NOSIGNAL : 0);
}

static ssize_t send_end(struct io *io, long r, int flags)
{
    io_turn_over(io);
    if (unlikely(r == -EPIPE) && !io->done && !(flags & MSG_NOSIGNAL) && fd_is_stream(io->slot))
        evy_raise(SIGPIPE);
    return io_end(io, io->done ? (long)io->done : r);
}

/* A blocking send of a stream sends everything: the rest of a partial one follows when there is room, before
   anybody else's. */
static bool sends_all(const struct io *io)
{
    return io->may_wait && fd_is_stream(io->slot);
}

/* Another process will have these descriptors too. */
void share_passed(const struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); unlikely(c != NULL);
         c = CMSG_NXTHDR((struct msghdr *)msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
            continue;
        const int *fds = (const int *)CMSG_DATA(c);
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof *fds; i++)
            fd_share(fds[i]);
    }
}

/* An error after some bytes went out is reported by the next call, as natively. */
static long send_rest_of(struct io *io, const void *buf, size_t n, int flags,
                         const struct sockaddr *addr, socklen_t len)
{
    long r = sends_all(io) ? io_turn(io) : 0;
    while (r == 0) {
        r = IO_TRY(io, io_failed_midway(io) ? 0
                                            : send_now(io->fd, (const char *)buf + io->done,
                                                       n - io->done, flags | quiet(io), addr, len));
        if (r <= 0)
            break;
        io->done += (size_t)r;
        if (io->done < n && sends_all(io))
            r = 0;
    }
    return r;
}

/* A short message that goes out at once takes no turn: it only waits for who is in the middle of a longer one. */
static bool goes_at_once(const struct io *io, size_t n)
{
    return n <= PIPE_BUF && sends_all(io) &&
           atomic_load_explicit(&io->slot->turn, memory_order_relaxed) == TURN_FREE;
}

ssize_t evy_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                   socklen_t len)
{
    struct io io;
    if (!send_begin(&io, fd, flags))
        return REAL(sendto)(fd, buf, n, flags, addr, len);
    long r = -EAGAIN;
    if (likely(goes_at_once(&io, n))) {
        r = send_now(fd, buf, n, flags | quiet(&io), addr, len);
        if (likely(r == (long)n))
            return io_end(&io, r);
        io.done = r > 0 ? (size_t)r : 0;
    }
    if (r > 0 || r == -EAGAIN)
        r = send_rest_of(&io, buf, n, flags, addr, len);
    return send_end(&io, r, flags);
}

ssize_t evy_send(int fd, const void *buf, size_t n, int flags)
{
    return evy_sendto(fd, buf, n, flags, NULL, 0);
}

/* Control data went out with the first byte. */
static long send_rest(struct io *io, const struct msghdr *msg, int flags)
{
    size_t n = iov_bytes(msg->msg_iov, msg->msg_iovlen);
    long r = 1;
    while (r > 0 && io->done < n && sends_all(io)) {
        struct iovec part[IOV_PART];
        struct msghdr rest = {.msg_iov = part};
        rest.msg_iovlen = iov_rest(part, msg->msg_iov, msg->msg_iovlen, io->done);
        r = IO_TRY(io, io_failed_midway(io)
                           ? 0
                           : or_errno(real.sendmsg(io->fd, &rest, flags | quiet(io))));
        if (r > 0)
            io->done += (size_t)r;
    }
    return r;
}

ssize_t evy_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct io io;
    if (!msg_is_good(msg) || !send_begin(&io, fd, flags))
        return REAL(sendmsg)(fd, msg, flags);
    share_passed(msg);
    long r = sends_all(&io) ? io_turn(&io) : 0;
    if (r == 0)
        r = IO_TRY(&io, or_errno(real.sendmsg(fd, msg, flags | quiet(&io))));
    if (r > 0) {
        io.done = (size_t)r;
        r = send_rest(&io, msg, flags);
    }
    return send_end(&io, r, flags);
}
