/* What the private libevent calls instead of libc: its names are rewritten to lev_* when the archive is
   made, so that it never meets our hooks. Calls that an event_base never makes answer ENOSYS. */
#include "core/lev_libc.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/evloop.h"
#include "core/hub.h"
#include "core/own_fd.h"
#include "core/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

FILE *lev_stderr; /* libevent writes to it only without a log callback */

static long answer(long r)
{
    if (r >= 0)
        return r;
    errno = (int)-r;
    return -1;
}

int lev_epoll_create1(int flags)
{
    return (int)answer(OWN_FDS_PASSING(
        evloop_epoll_made((int)sys3(SYS_epoll_create1, flags | EPOLL_CLOEXEC, 0, 0))));
}

int lev_epoll_create(int size)
{
    (void)size;
    return lev_epoll_create1(0);
}

int lev_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    if (op == EPOLL_CTL_DEL && self() && this_hub()->skip_epoll_ctl)
        return 0;
    struct epoll_event e = *event;
    if (e.events & EPOLLET)
        e.events |= EPOLLPRI; /* libevent has no word for it; see ready.c */
    if (self() && this_hub()->registering)
        e.data.u64 = ready_data(this_hub()->registering);
    return (int)answer(sys_call4(SYS_epoll_ctl, evloop_epoll_fd(epfd), op, fd, (long)&e));
}

/* How long this pass of the running hub may wait: NULL for ever. */
static struct timespec *time_left(struct timespec *ts)
{
    int64_t left = deadline_left(this_hub()->sleep_until);
    if (left == DEADLINE_NEVER)
        return NULL;
    *ts = ns_to_timespec(left);
    return ts;
}

static int round_up_to_ms(const struct timespec *ts)
{
    return ts ? (int)(ts->tv_sec * 1000 + (ts->tv_nsec + 999999) / 1000000) : -1;
}

static long epoll_until(int epfd, struct epoll_event *events)
{
    struct timespec buf, *ts = NULL;
    if (this_hub()->sleep_until == 0)
        return sys_call6(SYS_epoll_pwait, epfd, (long)events, READY_MOST, 0, 0, 0);
    ts = time_left(&buf);
    long r = sys_call6(SYS_epoll_pwait2, epfd, (long)events, READY_MOST, (long)ts, 0, 0);
    if (r == -ENOSYS) /* before Linux 5.11 */
        r = sys_call6(SYS_epoll_pwait, epfd, (long)events, READY_MOST, round_up_to_ms(ts), 0, 0);
    return r;
}

/* libevent gets what is left for it: the hub's wake-up at most. */
int lev_epoll_wait(int epfd, struct epoll_event *events, int n, int timeout)
{
    (void)timeout;
    struct epoll_event got[READY_MOST];
    long r = epoll_until(evloop_epoll_fd(epfd), got);
    if (r < 0)
        return (int)answer(r);
    int left = ready_dispatch(got, (int)r);
    check(left <= n);
    memcpy(events, got, (size_t)left * sizeof *got);
    return left;
}

int lev_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    (void)timeout;
    struct timespec buf;
    return (int)answer(sys_call6(SYS_ppoll, (long)fds, (long)n, (long)time_left(&buf), 0, 0, 0));
}

int lev_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
    (void)timeout;
    struct timespec buf;
    return (int)answer(
        sys_call6(SYS_pselect6, n, (long)r, (long)w, (long)e, (long)time_left(&buf), 0));
}

/* libevent grows its sets as needed, but its FD_SET is compiled with a check against FD_SETSIZE. */
long lev___fdelt_chk(long fd)
{
    return fd / (8 * (long)sizeof(long));
}

ssize_t lev_read(int fd, void *buf, size_t n)
{
    return answer(sys_read(fd, buf, n));
}

ssize_t lev_write(int fd, const void *buf, size_t n)
{
    return answer(sys_write(fd, buf, n));
}

int lev_close(int fd)
{
    return (int)answer(sys_close(fd));
}

int lev_fcntl(int fd, int cmd, ...)
{
    va_list ap;
    va_start(ap, cmd);
    long arg = va_arg(ap, long);
    va_end(ap);
    return (int)answer(sys_fcntl(fd, cmd, arg));
}

/* libevent makes a pair for signals with each base. No signal is ever added: it gets none. */
int lev_pipe2(int fds[2], int flags)
{
    (void)flags;
    fds[0] = fds[1] = -1;
    return 0;
}

int lev_pipe(int fds[2])
{
    return lev_pipe2(fds, 0);
}

int lev_clock_gettime(clockid_t clock, struct timespec *ts)
{
    return clock_gettime(clock, ts);
}

int lev_gettimeofday(struct timeval *tv, void *tz)
{
    return gettimeofday(tv, tz);
}

__attribute__((noreturn)) void lev_exit(int status)
{
    (void)status;
    abort();
}

int lev_fputc(int c, FILE *f)
{
    (void)f;
    return c;
}

size_t lev_fwrite(const void *buf, size_t size, size_t n, FILE *f)
{
    (void)buf, (void)size, (void)f;
    return n;
}

int lev___fprintf_chk(FILE *f, int flag, const char *fmt, ...)
{
    (void)f, (void)flag, (void)fmt;
    return 0;
}

#define NEVER(name)                                                                                \
    long lev_##name(void);                                                                         \
    long lev_##name(void)                                                                          \
    {                                                                                              \
        return answer(-ENOSYS);                                                                    \
    }

NEVER(timerfd_create)
NEVER(timerfd_settime)
NEVER(eventfd)
NEVER(socketpair)
NEVER(accept)
NEVER(accept4)
NEVER(bind)
NEVER(connect)
NEVER(listen)
NEVER(socket)
NEVER(open)
NEVER(getsockname)
NEVER(getsockopt)
NEVER(setsockopt)
NEVER(nanosleep)
NEVER(sigaction)
NEVER(getaddrinfo)
NEVER(getifaddrs)
NEVER(getprotobynumber)
NEVER(getservbyname)
NEVER(if_nametoindex)
