/* Green poll and epoll_wait. */
#include "arch/probe.h"
#include "io/calls.h"
#include "io/io.h"
#include "io/look.h"
#include "real/real.h"

#include "body/critical.h"
#include "core/sched.h"
#include "sync/cancel.h"

#include <limits.h>
#include <stdlib.h>

static void watch_pollfds(struct room *room, const struct pollfd *fds, nfds_t n)
{
    for (nfds_t i = 0; i < n; i++)
        room_watch(room, fds[i].fd, fds[i].events & ~(POLLOUT | POLLWRNORM | POLLWRBAND),
                   fds[i].events & (POLLOUT | POLLWRNORM | POLLWRBAND));
}

/* The look at the descriptors and the wait for them are one critical section, or a handler that runs between two waits
   would end neither. */
static long poll_until(struct pollfd *fds, nfds_t n, deadline_t deadline)
{
    struct green *g = self();
    struct room room;
    critical_enter_as(g);
    long r = room_make(&room, n);
    while (r == 0) {
        watch_pollfds(&room, fds, n);
        r = or_errno(real.poll(fds, n, 0));
        if (r == 0)
            r = never_restart(fd_wait_any(&room.set, deadline));
    }
    free(room.many);
    return look_ends(g, r);
}

/* Others are for the kernel to refuse. */
static bool pollfds_are_good(const struct pollfd *fds, nfds_t n)
{
    return n <= INT_MAX && probe(fds, n * sizeof *fds);
}

/* A look that does not wait, of the kernel's own. */
static int glanced(int r)
{
    if (self())
        sched_tick();
    return r;
}

static deadline_t after_ms(int ms)
{
    return ms < 0 ? DEADLINE_NEVER : deadline_after((int64_t)ms * 1000000);
}

int evy_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    cancel_point();
    if (!self() || timeout == 0 || !pollfds_are_good(fds, n))
        return glanced(REAL(poll)(fds, n, timeout));
    return (int)errno_edge(poll_until(fds, n, after_ms(timeout)));
}

int evy_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    deadline_t deadline;
    cancel_point();
    if (!self() || deadline_from_rel(timeout, &deadline) || !pollfds_are_good(fds, n) ||
        !probe_given(mask, MASK_BYTES))
        return REAL(ppoll)(fds, n, timeout, mask);
    struct signal_mask_swap swap;
    signals_swap_mask(&swap, mask);
    long r = poll_until(fds, n, deadline);
    signals_restore_mask(&swap);
    return (int)errno_edge(r);
}

static long epoll_until(int epfd, struct epoll_event *events, int max, deadline_t deadline)
{
    struct green *g = self();
    struct io io;
    if (!io_begin(&io, epfd, FD_READ, false))
        return or_errno(
            real.epoll_wait(epfd, events, max, 0)); /* not an epoll descriptor: its error */
    critical_enter_as(g);
    long r = 0;
    while (r == 0) {
        unsigned seq = atomic_load(&io.slot->seq[FD_READ]);
        r = or_errno(real.epoll_wait(epfd, events, max, 0));
        if (r == 0)
            r = never_restart(fd_wait(io.slot, epfd, FD_READ, seq, deadline));
    }
    if (r > 0) /* one edge may stand for several events, and others wait for them too */
        lot_unpark(&io.slot->seq[FD_READ], 1);
    return look_ends(g, r);
}

int evy_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
    cancel_point();
    if (!self() || timeout == 0)
        return glanced(REAL(epoll_wait)(epfd, events, max, timeout));
    return (int)errno_edge(epoll_until(epfd, events, max, after_ms(timeout)));
}

int evy_epoll_pwait(int epfd, struct epoll_event *events, int max, int timeout,
                    const sigset_t *mask)
{
    cancel_point();
    if (!self() || timeout == 0 || !probe_given(mask, MASK_BYTES))
        return glanced(REAL(epoll_pwait)(epfd, events, max, timeout, mask));
    struct signal_mask_swap swap;
    signals_swap_mask(&swap, mask);
    long r = epoll_until(epfd, events, max, after_ms(timeout));
    signals_restore_mask(&swap);
    return (int)errno_edge(r);
}

static bool is_zero(const struct timespec *timeout)
{
    return timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
}

int evy_epoll_pwait2(int epfd, struct epoll_event *events, int max, const struct timespec *timeout,
                     const sigset_t *mask)
{
    deadline_t deadline;
    cancel_point();
    if (!self() || !probe_given(timeout, sizeof *timeout) || !probe_given(mask, MASK_BYTES) ||
        is_zero(timeout) || deadline_from_rel(timeout, &deadline))
        return glanced(REAL(epoll_pwait2)(epfd, events, max, timeout, mask));
    struct signal_mask_swap swap;
    signals_swap_mask(&swap, mask);
    long r = epoll_until(epfd, events, max, deadline);
    signals_restore_mask(&swap);
    return (int)errno_edge(r);
}
