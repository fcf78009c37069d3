/* Green versions of libc's I/O and time calls: same arguments, results and errno; where the originals block,
   only the calling green thread waits. All may switch. They are what a hook calls for a green caller. */
#ifndef EVY_CALLS_H
#define EVY_CALLS_H

#include "base/base.h"
#include "io/stdio.h"
#include "real/hooktypes.h"

/* sockets.c */
ssize_t evy_recv(int fd, void *buf, size_t n, int flags);
ssize_t evy_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len);
ssize_t evy_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t evy_send(int fd, const void *buf, size_t n, int flags);
ssize_t evy_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                   socklen_t len);
ssize_t evy_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t evy_sendfile(int out, int in, off_t *offset, size_t n);

/* Before descriptors in msg's control data go to another process: takes back what that must not see. */
void share_passed(const struct msghdr *msg);

/* mmsg.c */
int evy_recvmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags, struct timespec *timeout);
int evy_sendmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags);

/* splice.c */
ssize_t evy_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t n, unsigned flags);
ssize_t evy_tee(int in, int out, size_t n, unsigned flags);
ssize_t evy_vmsplice(int fd, const struct iovec *iov, size_t count, unsigned flags);
ssize_t evy_preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags);
ssize_t evy_pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags);
int evy_eventfd_read(int fd, eventfd_t *value);
int evy_eventfd_write(int fd, eventfd_t value);

/* connect.c */
int evy_accept(int fd, struct sockaddr *addr, socklen_t *len);
int evy_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int evy_connect(int fd, const struct sockaddr *addr, socklen_t len);

/* files.c */
ssize_t evy_read(int fd, void *buf, size_t n);
ssize_t evy_write(int fd, const void *buf, size_t n);
ssize_t evy_readv(int fd, const struct iovec *iov, int count);
ssize_t evy_writev(int fd, const struct iovec *iov, int count);

/* select.c */
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

/* open.c: bookkeeping; only FIFOs, terminals and record locks are waited for */
bool open_waits(int dir, const char *path, int flags); /* for a peer or a line */
int evy_open(const char *path, int flags, mode_t mode);
int evy_openat(int dir, const char *path, int flags, mode_t mode);
int evy_creat(const char *path, mode_t mode);
int evy_socket(int domain, int type, int protocol);
int evy_socketpair(int domain, int type, int protocol, int fds[2]);
int evy_pipe(int fds[2]);
int evy_pipe2(int fds[2], int flags);
int evy_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int evy_fcntl(int fd, int cmd, long arg);
int evy_ioctl(int fd, unsigned long request, void *arg);

/* close.c */
int evy_close(int fd);
int evy_close_range(unsigned first, unsigned last, int flags);
void evy_closefrom(int first);
int evy_closedir(DIR *d);
int evy_dup(int fd);
int evy_dup2(int old, int new);
int evy_dup3(int old, int new, int flags);

/* ipc.c: tried without waiting first; a kernel thread is given up only where the answer is to wait */
int evy_flock(int fd, int operation);
int evy_lockf(int fd, int command, off_t length);
int record_lock_wait(int fd, int cmd, long arg); /* F_SETLKW, F_OFD_SETLKW */
ssize_t evy_msgrcv(int queue, void *message, size_t room, long type, int flags);
int evy_msgsnd(int queue, const void *message, size_t n, int flags);
int evy_semop(int set, struct sembuf *ops, size_t n);
int evy_semtimedop(int set, struct sembuf *ops, size_t n, const struct timespec *timeout);
ssize_t evy_mq_receive(mqd_t queue, char *message, size_t room, unsigned *priority);
ssize_t evy_mq_timedreceive(mqd_t queue, char *message, size_t room, unsigned *priority,
                            const struct timespec *at);
int evy_mq_send(mqd_t queue, const char *message, size_t n, unsigned priority);
int evy_mq_timedsend(mqd_t queue, const char *message, size_t n, unsigned priority,
                     const struct timespec *at);

/* sleep.c */
unsigned evy_sleep_seconds(unsigned seconds);
int evy_usleep(useconds_t usec);
int evy_nanosleep(const struct timespec *duration, struct timespec *left);
int evy_clock_nanosleep(clockid_t clock, int flags, const struct timespec *when,
                        struct timespec *left);

#endif
