/* Connecting, listening, sending. */
#include "api/api.h"
#include "api/debug.h"
#include "io/calls.h"
#include "io/io.h"
#include "io/watch.h"
#include "real/real.h"

#include <evy/net.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>

#define BACKLOG 50 /* Eventlet's */

/* The errno for what getaddrinfo answers. */
static int resolver_errno(int answer)
{
    switch (answer) {
    case EAI_SYSTEM:
        return errno;
    case EAI_MEMORY:
        return ENOMEM;
    case EAI_AGAIN:
        return EAGAIN;
    default:
        return ENOENT;
    }
}

/* Tries use on each address of host until one gives a descriptor. */
static int for_host(const char *host, int port, int flags, int family,
                    int (*use)(const struct addrinfo *, void *), void *arg)
{
    struct addrinfo hints = {
        .ai_flags = flags | AI_NUMERICSERV, .ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char service[12];
    snprintf(service, sizeof service, "%d", port);
    int answer = evy_getaddrinfo(host, service, &hints, &found);
    if (answer) {
        errno = resolver_errno(answer);
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
        fd = use(a, arg);
    int error = errno;
    freeaddrinfo(found);
    errno = error;
    return fd;
}

/* A call on a new socket has answered r: gives it up if that was a failure. */
static int checked(int fd, int r)
{
    if (r == 0)
        return fd;
    int error = errno;
    evy_close(fd);
    errno = error;
    return -1;
}

EVY_API int evy_connect_addr(const struct sockaddr *addr, socklen_t len,
                             const struct sockaddr *bind_to, socklen_t bind_len)
{
    if (!addr)
        return (int)errno_edge(-EINVAL);
    int fd = evy_socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int r = bind_to ? bind(fd, bind_to, bind_len) : 0;
    return checked(fd, r ? r : evy_connect(fd, addr, len));
}

static int connect_one(const struct addrinfo *a, void *arg)
{
    (void)arg;
    return evy_connect_addr(a->ai_addr, a->ai_addrlen, NULL, 0);
}

EVY_API int evy_connect_host(const char *host, int port)
{
    if (!host || port < 1 || port > 65535)
        return (int)errno_edge(-EINVAL);
    return for_host(host, port, 0, AF_UNSPEC, connect_one, NULL);
}

/* Whether binding addr leaves the choice of a port to the kernel. */
static bool any_port(const struct sockaddr *addr)
{
    in_port_t port = addr->sa_family == AF_INET    ? ((const struct sockaddr_in *)addr)->sin_port
                     : addr->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)addr)->sin6_port
                                                   : 1;
    return port == 0;
}

/* Kernels may not know SO_REUSEPORT for a family: listening goes on without. */
static void set_reuse(int fd, const struct sockaddr *addr, unsigned flags)
{
    int on = 1;
    if (!(flags & EVY_NO_REUSEADDR))
        evy_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (flags & EVY_REUSEPORT || (!(flags & EVY_NO_REUSEPORT) && !any_port(addr)))
        evy_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

EVY_API int evy_listen_addr(const struct sockaddr *addr, socklen_t len, int backlog, unsigned flags)
{
    if (!addr || flags > 7 || (flags & EVY_REUSEPORT && flags & EVY_NO_REUSEPORT))
        return (int)errno_edge(-EINVAL);
    int fd = evy_socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_reuse(fd, addr, flags);
    int r = bind(fd, addr, len);
    return checked(fd, r ? r : listen(fd, backlog > 0 ? backlog : BACKLOG));
}

struct listen_how {
    int backlog;
    unsigned flags;
};

static int listen_one(const struct addrinfo *a, void *arg)
{
    const struct listen_how *how = arg;
    return evy_listen_addr(a->ai_addr, a->ai_addrlen, how->backlog, how->flags);
}

EVY_API int evy_listen(const char *host, int port, int backlog, unsigned flags)
{
    struct listen_how how = {backlog, flags};
    if (port < 0 || port > 65535)
        return (int)errno_edge(-EINVAL);
    return for_host(host, port, AI_PASSIVE, host ? AF_UNSPEC : AF_INET, listen_one, &how);
}

static ssize_t send_some(int fd, const void *buf, size_t n)
{
    ssize_t r = evy_send(fd, buf, n, MSG_NOSIGNAL);
    return r < 0 && errno == ENOTSOCK ? evy_write(fd, buf, n) : r;
}

EVY_API int evy_sendall(int fd, const void *buf, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        ssize_t r = send_some(fd, (const char *)buf + sent, n - sent);
        if (r < 0)
            return -1;
        sent += (size_t)r;
    }
    return 0;
}

EVY_API int evy_shutdown_safe(int fd)
{
    int error = errno;
    if (shutdown(fd, SHUT_RDWR) && errno != ENOTCONN && errno != EBADF && errno != ENOTSOCK)
        return -1;
    errno = error;
    return 0;
}

EVY_API int evy_set_timeout(int fd, double seconds)
{
    if (isnan(seconds) || seconds <= 0)
        return (int)errno_edge(-EINVAL);
    struct timeval t = {0, 0}; /* no limit */
    if (seconds < 1e9) {
        t.tv_sec = (time_t)seconds;
        t.tv_usec = (suseconds_t)((seconds - (double)t.tv_sec) * 1e6);
        t.tv_usec += t.tv_sec == 0 && t.tv_usec == 0;
    }
    return evy_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) ||
                   evy_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t)
               ? -1
               : 0;
}

EVY_API int evy_set_nonblocking(int fd)
{
    int flags = evy_fcntl(fd, F_GETFL, 0);
    return flags < 0 || evy_fcntl(fd, F_SETFL, flags | O_NONBLOCK) ? -1 : 0;
}

/* As poll, but a number that was closed or opened anew meanwhile is no longer what the caller meant. */
static long wait_edges(struct fd *s, int fd, int dir, deadline_t d)
{
    unsigned generation = atomic_load(&s->generation);
    long r = 0;
    while (r == 0) {
        unsigned seq = atomic_load(&s->seq[dir]);
        if (fd_kind(s) == FD_FILE || fd_ready(fd, dir == FD_READ ? POLLIN : POLLOUT)) {
            lot_unpark(&s->seq[dir], 1); /* others may be waiting for it too */
            return 0;
        }
        r = interrupted(fd_wait(s, fd, dir, seq, d));
        if (atomic_load(&s->generation) != generation)
            return -EBADF;
    }
    return r;
}

static long wait_ready(int fd, int dir, deadline_t d)
{
    unsigned short taken = dir == FD_READ ? FD_READER : FD_WRITER;
    struct fd *s = fd_known(fd);
    if (!s || fd_kind(s) == FD_UNKNOWN)
        return -EBADF;
    bool others = atomic_fetch_or(&s->flags, taken) & taken;
    if (others && debug_one_reader)
        return -EBUSY;
    long r = wait_edges(s, fd, dir, d);
    if (!others && r != -EBADF)
        fd_set_flag(s, taken, false);
    return r;
}

EVY_API int evy_trampoline(int fd, unsigned direction, double seconds)
{
    deadline_t d;
    int r = direction == EVY_READ || direction == EVY_WRITE ? api_deadline(seconds, &d) : -EINVAL;
    if (r == 0)
        r = api_may_wait();
    if (r == 0 && !self())
        r = -EPERM;
    if (r)
        return (int)errno_edge(r);
    return api_edge(wait_ready(fd, direction == EVY_READ ? FD_READ : FD_WRITE, d));
}

EVY_API int evy_wait_read(int fd, double seconds)
{
    return evy_trampoline(fd, EVY_READ, seconds);
}

EVY_API int evy_wait_write(int fd, double seconds)
{
    return evy_trampoline(fd, EVY_WRITE, seconds);
}

EVY_API int evy_notify_opened(int fd)
{
    if (fd < 0 || !fd_slot(fd))
        return (int)errno_edge(-EINVAL);
    critical_enter();
    fd_closing(fd);
    fd_opened(fd, FD_UNKNOWN, 0);
    critical_leave();
    return 0;
}
