/* The names tools/build/libevent.syms gives to libc's functions in the private libevent. */
#ifndef EVY_LEV_LIBC_H
#define EVY_LEV_LIBC_H

#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

extern FILE *lev_stderr;
int lev_epoll_create1(int flags);
int lev_epoll_create(int size);
int lev_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int lev_epoll_wait(int epfd, struct epoll_event *events, int n, int timeout);
int lev_poll(struct pollfd *fds, nfds_t n, int timeout);
int lev_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
long lev___fdelt_chk(long fd);
ssize_t lev_read(int fd, void *buf, size_t n);
ssize_t lev_write(int fd, const void *buf, size_t n);
int lev_close(int fd);
int lev_fcntl(int fd, int cmd, ...);
int lev_pipe2(int fds[2], int flags);
int lev_pipe(int fds[2]);
int lev_clock_gettime(clockid_t clock, struct timespec *ts);
int lev_gettimeofday(struct timeval *tv, void *tz);
__attribute__((noreturn)) void lev_exit(int status);
int lev_fputc(int c, FILE *f);
size_t lev_fwrite(const void *buf, size_t size, size_t n, FILE *f);
int lev___fprintf_chk(FILE *f, int flag, const char *fmt, ...);

#endif
