/* Green splice, tee and vmsplice, and the calls that are read and write under another name. Pipes
   are asked with SPLICE_F_NONBLOCK; sockets, for which the kernel may ignore it, are polled or made
   non-blocking. */
#include "io/calls.h"

#include "base/sys.h"
#include "io/io.h"
#include "io/iov.h"
#include "real/real.h"
#include "sync/cancel.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

/* One end of a transfer. */
struct end {
    struct io io;
    bool waits; /* it may have to be waited for; false: a file */
};

static void end_init(struct end *e, int fd, int dir, unsigned flags)
{
    e->waits = io_begin(&e->io, fd, dir, flags & SPLICE_F_NONBLOCK);
}

static bool ready(const struct end *e)
{
    return !e->waits || fd_ready(e->io.fd, e->io.dir == FD_READ ? POLLIN : POLLOUT);
}

static bool is_socket(const struct end *e)
{
    return e->waits && fd_is_socket(e->io.slot);
}

struct transfer {
    struct end in, out;
    off_t *in_offset, *out_offset;
    size_t n;
    unsigned flags;
    bool tee;
};

static long try_transfer(struct transfer *t)
{
    int in = t->in.io.fd, out = t->out.io.fd;
    unsigned flags = t->flags | SPLICE_F_NONBLOCK;
    if ((is_socket(&t->in) && t->in.io.may_wait && !ready(&t->in)) ||
        (is_socket(&t->out) && t->out.io.may_wait && !ready(&t->out)))
        return -EAGAIN;
    return or_errno(t->tee ? real.tee(in, out, t->n, flags)
                           : real.splice(in, t->in_offset, out, t->out_offset, t->n, flags));
}

/* Waits for whichever end is not ready. When both are, somebody was quicker: look again. */
static long wait_ends(struct transfer *t)
{
    if (!ready(&t->in))
        return io_wait(&t->in.io);
    if (!ready(&t->out))
        return io_wait(&t->out.io);
    return (t->in.waits && !t->in.io.may_wait) || (t->out.waits && !t->out.io.may_wait) ? -EAGAIN
                                                                                        : 0;
}

static long transfer(struct transfer *t)
{
    long r;
    bool socket = is_socket(&t->out) && t->out.io.may_wait;
    bool whole = socket && io_set_nonblock(&t->out.io);
    if (socket && !whole && t->n > PIPE_BUF)
        t->n = PIPE_BUF; /* a writable socket takes that much without blocking */
    while ((r = try_transfer(t)) == -EAGAIN && (r = wait_ends(t)) == 0)
        ;
    if (whole)
        io_clear_nonblock(&t->out.io);
    if (t->in.waits && t->out.waits)
        io_end(&t->in.io, r);
    return io_end(t->out.waits ? &t->out.io : &t->in.io, r);
}

static bool is_pipe(int fd)
{
    struct stat st;
    return sys_call4(SYS_fstat, fd, (long)&st, 0, 0) == 0 && S_ISFIFO(st.st_mode);
}

/* The kernel refuses at once what moves nothing into or out of a pipe; a socket would be waited for before. */
static bool is_legal(const struct transfer *t)
{
    if (!is_socket(&t->in) && !is_socket(&t->out))
        return true;
    return !t->tee && !t->in_offset && !t->out_offset &&
           is_pipe(is_socket(&t->in) ? t->out.io.fd : t->in.io.fd);
}

/* Whether anything may have to be waited for. io_begin leaves the number unset for files. */
static bool transfer_begin(struct transfer *t, int in, int out)
{
    end_init(&t->in, in, FD_READ, t->flags);
    end_init(&t->out, out, FD_WRITE, t->flags);
    t->in.io.fd = in;
    t->out.io.fd = out;
    return t->n > 0 && (t->in.waits || t->out.waits) && is_legal(t);
}

ssize_t evy_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t n, unsigned flags)
{
    struct transfer t = {.in_offset = in_offset, .out_offset = out_offset, .n = n, .flags = flags};
    return transfer_begin(&t, in, out) ? transfer(&t)
                                       : REAL(splice)(in, in_offset, out, out_offset, n, flags);
}

ssize_t evy_tee(int in, int out, size_t n, unsigned flags)
{
    struct transfer t = {.n = n, .flags = flags, .tee = true};
    return transfer_begin(&t, in, out) ? transfer(&t) : REAL(tee)(in, out, n, flags);
}

ssize_t evy_vmsplice(int fd, const struct iovec *iov, size_t count, unsigned flags)
{
    struct io io;
    cancel_point();
    long status = sys_fcntl(fd, F_GETFL, 0);
    int dir = status >= 0 && (status & O_ACCMODE) == O_RDONLY ? FD_READ : FD_WRITE;
    if (count == 0 || !io_begin(&io, fd, dir, flags & SPLICE_F_NONBLOCK))
        return REAL(vmsplice)(fd, iov, count, flags);
    return io_end(&io,
                  IO_TRY(&io, or_errno(real.vmsplice(fd, iov, count, flags | SPLICE_F_NONBLOCK))));
}

/* Offset -1 means the file position: then pipes and sockets are legal. */
static bool streams(int fd, off_t offset, int flags)
{
    struct fd *s = offset == -1 && flags == 0 ? fd_known(fd) : NULL;
    cancel_point();
    return s && fd_kind(s) != FD_FILE;
}

ssize_t evy_preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    return streams(fd, offset, flags) ? evy_readv(fd, iov, count)
                                      : REAL(preadv2)(fd, iov, count, offset, flags);
}

ssize_t evy_pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    return streams(fd, offset, flags) ? evy_writev(fd, iov, count)
                                      : REAL(pwritev2)(fd, iov, count, offset, flags);
}

int evy_eventfd_read(int fd, eventfd_t *value)
{
    return evy_read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}

int evy_eventfd_write(int fd, eventfd_t value)
{
    return evy_write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}
