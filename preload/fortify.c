/* The checked twins that -D_FORTIFY_SOURCE calls instead of the plain names. */
#include "hook.h"

#include "io/calls.h"

#include <fcntl.h>

__attribute__((noreturn)) void __chk_fail(void); /* glibc's "buffer overflow detected" */

static void fits(size_t n, size_t room)
{
    if (n > room)
        __chk_fail();
}

ssize_t hook___read_chk(int fd, void *buf, size_t n, size_t room)
{
    fits(n, room);
    return hook_read(fd, buf, n);
}

ssize_t hook___pread_chk(int fd, void *buf, size_t n, off_t offset, size_t room)
{
    fits(n, room);
    return hook_pread(fd, buf, n, offset);
}

ssize_t hook___pread64_chk(int fd, void *buf, size_t n, off_t offset, size_t room)
{
    return hook___pread_chk(fd, buf, n, offset, room);
}

/* glibc's own stops the program when flags ask for a mode that was not given. */
int hook___open_2(const char *path, int flags)
{
    return WHEN_GREEN(OS) && !__OPEN_NEEDS_MODE(flags) ? evy_open(path, flags, 0)
                                                       : REAL(__open_2)(path, flags);
}

int hook___openat_2(int dir, const char *path, int flags)
{
    return WHEN_GREEN(OS) && !__OPEN_NEEDS_MODE(flags) ? evy_openat(dir, path, flags, 0)
                                                       : REAL(__openat_2)(dir, path, flags);
}

ssize_t hook___recv_chk(int fd, void *buf, size_t n, size_t room, int flags)
{
    fits(n, room);
    return hook_recv(fd, buf, n, flags);
}

ssize_t hook___recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags,
                            struct sockaddr *addr, socklen_t *len)
{
    fits(n, room);
    return hook_recvfrom(fd, buf, n, flags, addr, len);
}

int hook___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
    fits(n, room / sizeof *fds);
    return hook_poll(fds, n, timeout);
}

int hook___ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                     const sigset_t *mask, size_t room)
{
    fits(n, room / sizeof *fds);
    return hook_ppoll(fds, n, timeout, mask);
}
