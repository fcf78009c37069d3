/* Regular files when the file subset is on: what is in the page cache is copied at once, the disk is waited for on a
   kernel thread that nobody waits for. */
#include "io/calls.h"

#include "base/config.h"
#include "base/sys.h"
#include "io/blocking.h"
#include "io/iov.h"
#include "real/real.h"
#include "sync/cancel.h"

#include <linux/fs.h>

struct kind {
    int number; /* of the system call */
    ssize_t (**call)(int, const struct iovec *, int, off_t, int);
};

static const struct kind reading = {SYS_preadv2, &real.preadv2},
                         writing = {SYS_pwritev2, &real.pwritev2};

/* Offset -1: the file position. An error of the first try is for the second to tell. */
static ssize_t move(const struct kind *k, int fd, const struct iovec *iov, int count, off_t offset)
{
    struct iovec rest[IOV_PART];
    long done = 0;
    if (count <= IOV_PART)
        done = sys_call6(k->number, fd, (long)iov, count, offset, 0, RWF_NOWAIT);
    if (done < 0)
        done = 0;
    if (count > 0 && (size_t)done == iov_bytes(iov, (size_t)count))
        return done;
    if (done > 0) {
        count = (int)iov_rest(rest, iov, (size_t)count, (size_t)done);
        iov = rest;
    }
    off_t at = offset < 0 ? offset : offset + done;
    ssize_t r = BLOCKING(PLAIN, ssize_t, (*k->call)(fd, iov, count, at, 0));
    return done > 0 ? done + (r > 0 ? r : 0) : r;
}

ssize_t regular_readv(int fd, const struct iovec *iov, int count)
{
    cancel_point();
    return move(&reading, fd, iov, count, -1);
}

ssize_t regular_writev(int fd, const struct iovec *iov, int count)
{
    cancel_point();
    return move(&writing, fd, iov, count, -1);
}

static bool at_offset(off_t offset)
{
    cancel_point();
    return offset >= 0 && config.patch & SUBSET_FILE;
}

ssize_t evy_pread(int fd, void *buf, size_t n, off_t offset)
{
    return at_offset(offset) ? move(&reading, fd, &(struct iovec){buf, n}, 1, offset)
                             : REAL(pread)(fd, buf, n, offset);
}

ssize_t evy_pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    return at_offset(offset) ? move(&writing, fd, &(struct iovec){(void *)buf, n}, 1, offset)
                             : REAL(pwrite)(fd, buf, n, offset);
}

ssize_t evy_preadv(int fd, const struct iovec *iov, int count, off_t offset)
{
    return at_offset(offset) ? move(&reading, fd, iov, count, offset)
                             : REAL(preadv)(fd, iov, count, offset);
}

ssize_t evy_pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
    return at_offset(offset) ? move(&writing, fd, iov, count, offset)
                             : REAL(pwritev)(fd, iov, count, offset);
}
