/* The green versions of libc's calls, for programs that do not patch them: evy_recv waits as recv does, but only the
   calling green thread waits. Eventlet: the modules of eventlet.green.

   Each takes the arguments of the call it is named after (man 2 recv, ...) and gives its results and errors; so
   O_NONBLOCK, MSG_DONTWAIT, SO_RCVTIMEO and signal handlers work as there. A wait may also end with ECANCELED (evy_kill)
   or ETIMEDOUT (an evy_timeout); one that a callback of the hub would begin fails with
   EDEADLK. All may switch but those that only make, copy or set descriptors. While there are no
   green threads, and on kernel threads libevy did not make, they are the plain calls. */
#ifndef EVY_LIBC_H
#define EVY_LIBC_H

#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct addrinfo;
struct mmsghdr;
struct rusage;
struct timespec;
struct timeval;

/* Sockets. Where a call has no flag for "do not block" (accept, connect, sendfile) O_NONBLOCK is set on sockets made by
   these functions or patched calls, and hidden from evy_fcntl. */
int evy_socket(int domain, int type, int protocol);
int evy_socketpair(int domain, int type, int protocol, int fds[2]);
int evy_accept(int fd, struct sockaddr *addr, socklen_t *len);
int evy_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int evy_connect(int fd, const struct sockaddr *addr, socklen_t len);
int evy_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
ssize_t evy_recv(int fd, void *buf, size_t n, int flags);
ssize_t evy_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len);
ssize_t evy_recvmsg(int fd, struct msghdr *msg, int flags);
int evy_recvmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags, struct timespec *timeout);
ssize_t evy_send(int fd, const void *buf, size_t n, int flags);
ssize_t evy_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                   socklen_t len);
ssize_t evy_sendmsg(int fd, const struct msghdr *msg, int flags);
int evy_sendmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags);
ssize_t evy_sendfile(int out, int in, off_t *offset, size_t n);

/* Descriptors of every kind. evy_open and evy_openat take the mode whether it is used or not; evy_fcntl and evy_ioctl
   take one word or pointer, 0 where the command has none. */
int evy_open(const char *path, int flags, mode_t mode);
int evy_openat(int dir, const char *path, int flags, mode_t mode);
int evy_creat(const char *path, mode_t mode);
int evy_pipe(int fds[2]);
int evy_pipe2(int fds[2], int flags);
int evy_dup(int fd);
int evy_dup2(int old_fd, int new_fd);
int evy_dup3(int old_fd, int new_fd, int flags);
int evy_close(int fd);
int evy_fcntl(int fd, int cmd, long arg);
int evy_ioctl(int fd, unsigned long request, void *arg);
ssize_t evy_read(int fd, void *buf, size_t n);
ssize_t evy_write(int fd, const void *buf, size_t n);
ssize_t evy_readv(int fd, const struct iovec *iov, int count);
ssize_t evy_writev(int fd, const struct iovec *iov, int count);
int evy_flock(int fd, int operation);
int evy_lockf(int fd, int command, off_t length);

/* Waiting for descriptors. */
int evy_poll(struct pollfd *fds, nfds_t n, int timeout);
int evy_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask);
int evy_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
int evy_pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout,
                const sigset_t *mask);
int evy_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout);
int evy_epoll_pwait(int epfd, struct epoll_event *events, int max, int timeout,
                    const sigset_t *mask);
int evy_epoll_pwait2(int epfd, struct epoll_event *events, int max, const struct timespec *timeout,
                     const sigset_t *mask);

/* Time. */
int evy_usleep(unsigned usec);
int evy_nanosleep(const struct timespec *duration, struct timespec *left);

/* Names. */
int evy_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                    struct addrinfo **found);
int evy_getnameinfo(const struct sockaddr *addr, socklen_t len, char *host, socklen_t host_room,
                    char *service, socklen_t service_room, int flags);

/* Children. */
pid_t evy_wait(int *status);
pid_t evy_waitpid(pid_t pid, int *status, int options);
pid_t evy_wait4(pid_t pid, int *status, int options, struct rusage *usage);
int evy_system(const char *command);
FILE *evy_popen(const char *command, const char *mode);
int evy_pclose(FILE *f);

#ifdef __cplusplus
}
#endif

#endif
