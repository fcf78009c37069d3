/* Green read and write on anything. Pipes and other pollables are asked with RWF_NOWAIT, or polled first
   where the kernel does not know it for them, so O_NONBLOCK is never set on what others may share. */
#include "io/blocking.h"
#include "io/calls.h"
#include "io/io.h"
#include "io/iov.h"
#include "real/real.h"

#include "arch/probe.h"
#include "base/config.h"
#include "base/sys.h"
#include "proc/signals.h"
#include "sync/cancel.h"

#include <errno.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static long nowait(int number, int fd, const struct iovec *iov, int count)
{
    return sys_call6(number, fd, (long)iov, count, -1, -1, RWF_NOWAIT);
}

static bool wants_poll(struct io *io, long r)
{
    if (r != -EOPNOTSUPP && r != -ENOSYS)
        return false;
    fd_set_flag(io->slot, io->dir == FD_READ ? FD_NO_NOWAIT : FD_NO_NOWAIT_WRITE, true);
    return true;
}

static long try_readv(struct io *io, const struct iovec *iov, int count)
{
    if (io->may_wait && !fd_has(io->slot, FD_NO_NOWAIT)) {
        long r = nowait(SYS_preadv2, io->fd, iov, count);
        if (!wants_poll(io, r))
            return r;
    }
    if (io->may_wait && !fd_ready(io->fd, POLLIN))
        return -EAGAIN;
    return or_errno(real.readv(io->fd, iov, count));
}

/* Of pipes and terminals poll tells when there is room. What answers questions (fanotify) or takes lines (/dev/kmsg) may take
   them at any time and never say so. */
static bool tells_room(const struct io *io)
{
    struct stat st;
    return fd_has(io->slot, FD_TERMINAL) || sys_call4(SYS_fstat, io->fd, (long)&st, 0, 0) < 0 ||
           S_ISFIFO(st.st_mode);
}

/* A pipe that polls writable has room for PIPE_BUF bytes; more might block. */
static long try_writev(struct io *io, const struct iovec *iov, int count)
{
    if (!io->may_wait)
        return or_errno(real.writev(io->fd, iov, count));
    if (!fd_has(io->slot, FD_NO_NOWAIT_WRITE)) {
        long r = nowait(SYS_pwritev2, io->fd, iov, count);
        if (!wants_poll(io, r))
            return r;
    }
    if (!fd_ready(io->fd, POLLOUT)) {
        if (tells_room(io))
            return -EAGAIN;
        return or_errno(BLOCKING(PLAIN, ssize_t, real.writev(io->fd, iov, count)));
    }
    if (iov_bytes(iov, (size_t)count) <= PIPE_BUF)
        return or_errno(real.writev(io->fd, iov, count));
    size_t n = iov[0].iov_len < PIPE_BUF ? iov[0].iov_len : PIPE_BUF;
    return or_errno(real.write(io->fd, iov[0].iov_base, n));
}

static ssize_t recv_iov(int fd, const struct iovec *iov, int count)
{
    if (count == 1)
        return evy_recv(fd, iov->iov_base, iov->iov_len, 0);
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    return evy_recvmsg(fd, &msg, 0);
}

static ssize_t send_iov(int fd, const struct iovec *iov, int count)
{
    if (count == 1)
        return evy_send(fd, iov->iov_base, iov->iov_len, 0);
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    return evy_sendmsg(fd, &msg, 0);
}

/* Bad lists and empty reads get the kernel's own answer, which never waits. */
static bool plain(const struct iovec *iov, int count)
{
    return count <= 0 || count > IOV_MAX || !probe(iov, (size_t)count * sizeof *iov) ||
           !iov_bytes(iov, (size_t)count);
}

/* A file whose disk is to be waited for. */
static bool is_regular(const struct fd *s)
{
    return fd_kind(s) == FD_FILE && unlikely(config.patch & SUBSET_FILE);
}

long terminal_admits(const struct fd *s, int fd)
{
    int group;
    if (likely(!fd_has(s, FD_TERMINAL)) || sys3(SYS_ioctl, fd, TIOCGPGRP, &group) ||
        group == getpgrp())
        return 0;
    signals_lend_mask();
    long r = sys_read(fd, NULL, 0);
    signals_take_back_mask();
    return r;
}

ssize_t evy_readv(int fd, const struct iovec *iov, int count)
{
    struct io io;
    struct fd *s = fd_known(fd);
    if (!s || plain(iov, count)) {
        cancel_point();
        return REAL(readv)(fd, iov, count);
    }
    if (fd_is_socket(s))
        return recv_iov(fd, iov, count);
    if (is_regular(s))
        return regular_readv(fd, iov, count);
    if (!io_begin(&io, fd, FD_READ, false))
        return REAL(readv)(fd, iov, count);
    if (io.may_wait && fd_times_itself(s, fd))
        return BLOCKING(POINT, ssize_t, REAL(readv)(fd, iov, count));
    long r = terminal_admits(s, fd);
    return io_end(&io, r ? r : IO_TRY(&io, try_readv(&io, iov, count)));
}

/* The kernel has sent SIGPIPE to the carrier. Where that blocks it, it is taken back and given to its thread. */
static void claim_sigpipe(void)
{
    uint64_t set = UINT64_C(1) << (SIGPIPE - 1);
    struct timespec now = {0, 0};
    if (sys_call4(SYS_rt_sigtimedwait, (long)&set, 0, (long)&now, sizeof set) == SIGPIPE)
        evy_raise(SIGPIPE);
}

/* The first try is with the whole list: it may be one message, or a piece that pipes take undivided. */
static long write_all(struct io *io, const struct iovec *iov, int count)
{
    size_t total = iov_bytes(iov, (size_t)count);
    struct iovec part[IOV_PART];
    long r = IO_TRY(io, try_writev(io, iov, count));
    while (r > 0) {
        io->done += (size_t)r;
        if (io->done >= total || !io->may_wait)
            break;
        int n = (int)iov_rest(part, iov, (size_t)count, io->done);
        r = IO_TRY(io, try_writev(io, part, n));
    }
    return r;
}

ssize_t evy_writev(int fd, const struct iovec *iov, int count)
{
    struct io io;
    struct fd *s = fd_known(fd);
    if (!s || plain(iov, count)) {
        cancel_point();
        return REAL(writev)(fd, iov, count);
    }
    if (fd_is_socket(s))
        return send_iov(fd, iov, count);
    if (is_regular(s))
        return regular_writev(fd, iov, count);
    if (!io_begin(&io, fd, FD_WRITE, false))
        return REAL(writev)(fd, iov, count);
    long r = io_turn(&io);
    if (r == 0)
        r = write_all(&io, iov, count);
    io_turn_over(&io);
    if (unlikely(r == -EPIPE))
        claim_sigpipe();
    return io_end(&io, io.done ? (long)io.done : r);
}

/* Whoever closed the descriptor may have cancelled us before. */
static ssize_t after_close(ssize_t r)
{
    if (unlikely(r < 0 && errno == EBADF))
        cancel_point();
    return r;
}

ssize_t evy_read(int fd, void *buf, size_t n)
{
    struct fd *s = fd_known(fd);
    if (!s || (fd_kind(s) == FD_FILE && !is_regular(s)) || n == 0) {
        cancel_point();
        return after_close(REAL(read)(fd, buf, n));
    }
    if (fd_is_socket(s))
        return after_close(evy_recv(fd, buf, n, 0));
    struct iovec iov = {buf, n};
    return after_close(evy_readv(fd, &iov, 1));
}

ssize_t evy_write(int fd, const void *buf, size_t n)
{
    struct fd *s = fd_known(fd);
    if (!s || (fd_kind(s) == FD_FILE && !is_regular(s)) || n == 0) {
        cancel_point();
        return after_close(REAL(write)(fd, buf, n));
    }
    if (fd_is_socket(s))
        return after_close(evy_send(fd, buf, n, 0));
    struct iovec iov = {(void *)buf, n};
    return after_close(evy_writev(fd, &iov, 1));
}

/* sendfile has no flag against blocking: O_NONBLOCK is set for its duration where nobody else can see it;
   else it is polled and fed in pieces that a writable socket takes. */
static long sendfile_steps(struct io *io, int in, off_t *offset, size_t n)
{
    bool whole = io_set_nonblock(io);
    long r = io_turn(io);
    while (r == 0) {
        size_t left = n - io->done, piece = whole || left < PIPE_BUF ? left : PIPE_BUF;
        r = IO_TRY(io, !whole && !fd_ready(io->fd, POLLOUT)
                           ? -EAGAIN
                           : or_errno(real.sendfile(io->fd, in, offset, piece)));
        if (r <= 0)
            break;
        io->done += (size_t)r;
        if (io->done < n)
            r = 0;
    }
    if (whole)
        io_clear_nonblock(io);
    return io->done ? (long)io->done : r;
}

ssize_t evy_sendfile(int out, int in, off_t *offset, size_t n)
{
    struct io io;
    if (!io_begin(&io, out, FD_WRITE, false) || !io.may_wait || n == 0)
        return REAL(sendfile)(out, in, offset, n);
    return io_end(&io, sendfile_steps(&io, in, offset, n));
}
