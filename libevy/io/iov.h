/* Arithmetic on scatter/gather lists. */
#ifndef EVY_IOV_H
#define EVY_IOV_H

#include "base/base.h"

#include <sys/uio.h>

#define IOV_PART 16 /* pieces passed to the kernel at a time when a list is continued */

static inline size_t iov_bytes(const struct iovec *iov, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += iov[i].iov_len;
    return n;
}

/* What follows the first done bytes of iov, at most IOV_PART pieces of it. Returns their number. */
static inline size_t iov_rest(struct iovec part[IOV_PART], const struct iovec *iov, size_t count,
                              size_t done)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < IOV_PART; i++) {
        if (done >= iov[i].iov_len) {
            done -= iov[i].iov_len;
            continue;
        }
        part[n].iov_base = (char *)iov[i].iov_base + done;
        part[n].iov_len = iov[i].iov_len - done;
        done = 0;
        n++;
    }
    return n;
}

#endif
