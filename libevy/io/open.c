/* Calls that make, share, change or close descriptors: the real call, and what it means for the fd table. */
#include "io/calls.h"

#include "arch/probe.h"
#include "base/clock.h"
#include "io/blocking.h"
#include "io/fdtab.h"
#include "io/io.h"
#include "real/real.h"
#include "sync/cancel.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static unsigned made_here(int type)
{
    return FD_OURS | (type & SOCK_NONBLOCK ? FD_USER_NONBLOCK : 0);
}

int evy_socket(int domain, int type, int protocol)
{
    int fd = REAL(socket)(domain, type, protocol);
    if (fd >= 0)
        fd_opened(fd, fd_kind_of_socket(domain, type, protocol), made_here(type));
    return fd;
}

int evy_socketpair(int domain, int type, int protocol, int fds[2])
{
    int r = REAL(socketpair)(domain, type, protocol, fds);
    for (int i = 0; r == 0 && i < 2; i++)
        fd_opened(fds[i], fd_kind_of_socket(domain, type, protocol), made_here(type));
    return r;
}

int evy_pipe2(int fds[2], int flags)
{
    int r = REAL(pipe2)(fds, flags);
    for (int i = 0; r == 0 && i < 2; i++)
        fd_opened(fds[i], FD_OTHER, FD_OURS | (flags & O_NONBLOCK ? FD_USER_NONBLOCK : 0));
    return r;
}

int evy_pipe(int fds[2])
{
    return evy_pipe2(fds, 0);
}

/* Asking costs a third of the open itself, and saves the others of the hub the ten milliseconds until the monitor sees
   it stuck. A path that changes in between falls back on that. */
bool open_waits(int dir, const char *path, int flags)
{
    struct stat s;
    if (flags & (O_NONBLOCK | O_PATH | O_DIRECTORY) ||
        (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return false;
    int saved = errno;
    bool waits =
        path && fstatat(dir, path, &s, 0) == 0 && (S_ISFIFO(s.st_mode) || S_ISCHR(s.st_mode));
    errno = saved;
    return waits;
}

int evy_openat(int dir, const char *path, int flags, mode_t mode)
{
    int fd;
    if (open_waits(dir, path, flags)) {
        fd = BLOCKING(POINT, int, REAL(openat)(dir, path, flags, mode));
    } else {
        cancel_point();
        fd = REAL(openat)(dir, path, flags, mode);
    }
    if (fd >= 0)
        fd_opened(fd, FD_UNKNOWN, flags & O_NONBLOCK ? FD_USER_NONBLOCK : 0);
    return fd;
}

int evy_open(const char *path, int flags, mode_t mode)
{
    return evy_openat(AT_FDCWD, path, flags, mode);
}

int evy_creat(const char *path, mode_t mode)
{
    return evy_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

static void learn_shared(int fd, struct fd *s, void *arg)
{
    (void)arg;
    if (fd_is_socket(s) && !fd_has(s, FD_OURS))
        fd_learn_options(s, fd);
}

/* What waits go by. A socket that has been shared may have other numbers here; which, nobody knows. */
static void note_option(struct fd *s, int option, const void *value)
{
    if (!fd_has(s, FD_OURS))
        fd_each(learn_shared, NULL);
    if (option == SO_RCVLOWAT)
        fd_set_flag(s, FD_LOW_WATER, true);
    else
        atomic_store(&s->timeout[option == SO_SNDTIMEO], timeval_to_ns(value));
}

int evy_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    int r = REAL(setsockopt)(fd, level, option, value, len);
    struct fd *s = fd_slot(fd);
    if (r || !s)
        return r;
    if (level == SOL_SOCKET &&
        (option == SO_RCVTIMEO || option == SO_SNDTIMEO || option == SO_RCVLOWAT))
        note_option(s, option, value);
    if (level == IPPROTO_TCP && option == TCP_ULP) /* kernel TLS reads by records */
        fd_set_flag(s, FD_UNDRAINABLE, true);
    return r;
}

/* O_NONBLOCK as the program set it, whatever the kernel's flag is at the moment. */
static long get_status(int fd, struct fd *s)
{
    long status = or_errno(real.fcntl(fd, F_GETFL, 0));
    if (status >= 0 && fd_has(s, FD_KERNEL_NONBLOCK) && !fd_has(s, FD_USER_NONBLOCK))
        status &= ~(long)O_NONBLOCK;
    return status;
}

static long set_status(int fd, struct fd *s, long status)
{
    long kernel = status | (fd_has(s, FD_KERNEL_NONBLOCK) ? O_NONBLOCK : 0);
    long r = or_errno(real.fcntl(fd, F_SETFL, kernel));
    if (r == 0)
        fd_set_flag(s, FD_USER_NONBLOCK, status & O_NONBLOCK);
    return r;
}

int evy_fcntl(int fd, int cmd, long arg)
{
    if (unlikely(fd_is_runtime(fd)))
        return (int)errno_edge(-EBADF);
    struct fd *s = cmd == F_GETFL || cmd == F_SETFL ? fd_known(fd) : NULL;
    if (s && cmd == F_GETFL)
        return (int)errno_edge(get_status(fd, s));
    if (s && cmd == F_SETFL)
        return (int)errno_edge(set_status(fd, s, arg));
    if (cmd == F_SETLKW || cmd == F_OFD_SETLKW)
        return record_lock_wait(fd, cmd, arg);
    int r = REAL(fcntl)(fd, cmd, arg);
    if (r >= 0 && (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC))
        fd_duplicated(fd, r);
    return r;
}

int evy_ioctl(int fd, unsigned long request, void *arg)
{
    struct fd *s = request == FIONBIO ? fd_known(fd) : NULL;
    if (!s || !probe(arg, sizeof(int)))
        return REAL(ioctl)(fd, request, arg);
    int on = *(int *)arg;
    int kernel = on || fd_has(s, FD_KERNEL_NONBLOCK);
    int r = real.ioctl(fd, request, &kernel);
    if (r == 0)
        fd_set_flag(s, FD_USER_NONBLOCK, on);
    return r;
}
