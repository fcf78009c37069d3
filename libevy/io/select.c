/* Green poll, select and epoll_wait: look with the real call and no timeout, then wait for an edge on any of
   the descriptors, and look again. */
#include "arch/probe.h"
#include "io/calls.h"
#include "io/io.h"
#include "io/watch.h"
#include "real/real.h"

#include "body/critical.h"
#include "core/sched.h"
#include "proc/signals.h"
#include "sync/cancel.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FEW 16 /* descriptors whose entries fit on the stack */

struct room {
    struct fd_wait_set set;
    struct fd_wait_entry few_entries[FEW * 2];
    struct waiter few_waiters[FEW * 2];
    void *many; /* malloc'ed instead, NULL for few */
};

/* Room for n descriptors in both directions. */
static int room_make(struct room *room, size_t n)
{
    room->set = (struct fd_wait_set){room->few_entries, room->few_waiters, 0};
    room->many = NULL;
    if (n <= FEW)
        return 0;
    room->many = malloc(2 * n * (sizeof(struct fd_wait_entry) + sizeof(struct waiter)));
    if (!room->many)
        return -ENOMEM;
    room->set.entries = room->many;
    room->set.waiters = (struct waiter *)(room->set.entries + 2 * n);
    return 0;
}

static void watch_fd(struct fd_wait_set *set, int fd, bool read, bool write)
{
    struct fd *s = fd >= 0 ? fd_known(fd) : NULL;
    if (!s)
        return;
    if (read || !write) /* hang-ups and errors are reported in both directions */
        fd_wait_add(set, s, fd, FD_READ);
    if (write)
        fd_wait_add(set, s, fd, FD_WRITE);
}

static void watch_pollfds(struct fd_wait_set *set, const struct pollfd *fds, nfds_t n)
{
    for (nfds_t i = 0; i < n; i++)
        watch_fd(set, fds[i].fd, fds[i].events & ~(POLLOUT | POLLWRNORM | POLLWRBAND),
                 fds[i].events & (POLLOUT | POLLWRNORM | POLLWRBAND));
}

/* These calls fail with EINTR even for handlers with SA_RESTART (signal(7)). */
static long never_restart(long r)
{
    if (r == -EINTR)
        signals_deliver();
    return r;
}

/* Who finds something ready each time must not keep the others of its hub from running. */
static long looked(struct green *g, long r)
{
    if (r == -ECANCELED)
        cancel_now(); /* as natively, with the mask of the wait */
    critical_leave_as(g);
    if (r > 0)
        sched_tick();
    return r == -ETIMEDOUT ? 0 : r;
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
        watch_pollfds(&room.set, fds, n);
        r = or_errno(real.poll(fds, n, 0));
        if (r == 0)
            r = never_restart(fd_wait_any(&room.set, deadline));
    }
    free(room.many);
    return looked(g, r);
}

#define MASK_BYTES sizeof(uint64_t) /* of a mask, that the kernel reads */

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

struct fd_sets {
    int n;              /* highest descriptor plus one */
    fd_set *program[3]; /* read, write, except: NULL where not given */
    size_t bytes;       /* of each set that matter: the program's sets may be longer than fd_set */
};

#define WORD_BITS ((int)(8 * sizeof(unsigned long)))

/* The word of a set that fd is in. */
static unsigned long word_at(const struct fd_sets *s, int which, int fd)
{
    const unsigned long *words = (const unsigned long *)s->program[which];
    return words ? words[fd / WORD_BITS] : 0;
}

static unsigned long word_of_any(const struct fd_sets *s, int fd)
{
    return word_at(s, 0, fd) | word_at(s, 1, fd) | word_at(s, 2, fd);
}

static bool in_set(const struct fd_sets *s, int which, int fd)
{
    return word_at(s, which, fd) >> fd % WORD_BITS & 1;
}

static size_t count_fds(const struct fd_sets *s)
{
    size_t count = 0;
    for (int fd = 0; fd < s->n; fd++)
        count += word_of_any(s, fd) >> fd % WORD_BITS & 1;
    return count;
}

static void watch_sets(struct fd_wait_set *set, const struct fd_sets *s)
{
    for (int fd = 0; fd < s->n; fd++) {
        bool read = in_set(s, 0, fd) || in_set(s, 2, fd);
        bool write = in_set(s, 1, fd);
        if (read || write)
            watch_fd(set, fd, read, write);
    }
}

/* The real select overwrites the sets: each look is at copies, kept in scratch (three sets). */
static long look_at_sets(const struct fd_sets *s, char *scratch)
{
    fd_set *copy[3];
    for (int i = 0; i < 3; i++) {
        copy[i] = s->program[i] ? (fd_set *)(scratch + (size_t)i * s->bytes) : NULL;
        if (copy[i])
            memcpy(copy[i], s->program[i], s->bytes);
    }
    struct timeval zero = {0, 0};
    long r = or_errno(real.select(s->n, copy[0], copy[1], copy[2], &zero));
    for (int i = 0; r > 0 && i < 3; i++)
        if (copy[i])
            memcpy(s->program[i], copy[i], s->bytes);
    return r;
}

static void clear_sets(const struct fd_sets *s)
{
    for (int i = 0; i < 3; i++)
        if (s->program[i])
            memset(s->program[i], 0, s->bytes);
}

static long select_until(const struct fd_sets *s, deadline_t deadline)
{
    struct green *g = self();
    struct room room;
    critical_enter_as(g);
    long r = room_make(&room, count_fds(s));
    char *scratch = malloc(3 * s->bytes + 1);
    if (!scratch)
        r = -ENOMEM;
    while (r == 0) {
        watch_sets(&room.set, s);
        r = look_at_sets(s, scratch);
        if (r == 0)
            r = never_restart(fd_wait_any(&room.set, deadline));
    }
    free(scratch);
    free(room.many);
    if (r == -ETIMEDOUT)
        clear_sets(s);
    return looked(g, r);
}

static bool sets_are_good(const struct fd_sets *s)
{
    bool good = true;
    for (int i = 0; i < 3; i++)
        good &= probe_given(s->program[i], s->bytes);
    return good;
}

static bool has_been_opened(int fd)
{
    const struct fd *s = fd_slot(fd);
    return !fd_is_runtime(fd) &&
           ((s && atomic_load(&s->generation)) || or_errno(real.fcntl(fd, F_GETFD)) >= 0);
}

static size_t bytes_of(int n)
{
    return ((size_t)n + WORD_BITS - 1) / WORD_BITS * sizeof(unsigned long);
}

/* Programs say getdtablesize() where their sets are of FD_SETSIZE: natively the kernel looks no further than its table
   of descriptors reaches, which the runtime's own make longer. */
static int sets_end(const struct fd_sets *s)
{
    int end = sets_are_good(s) ? s->n : FD_SETSIZE;
    while (end > FD_SETSIZE) {
        unsigned long word = word_of_any(s, end - 1);
        if (!word)
            end = (end - 1) / WORD_BITS * WORD_BITS;
        else if (word >> (end - 1) % WORD_BITS & 1 && has_been_opened(end - 1))
            break;
        else
            end--;
    }
    return end;
}

static struct fd_sets sets_of(int n, fd_set *r, fd_set *w, fd_set *e)
{
    struct fd_sets s = {n, {r, w, e}, bytes_of(n)};
    if (unlikely(n > FD_SETSIZE)) {
        s.n = sets_end(&s);
        s.bytes = bytes_of(s.n);
    }
    return s;
}

int evy_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
    cancel_point();
    if (!self() || n < 0 || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return REAL(select)(n, r, w, e, timeout);
    struct fd_sets sets = sets_of(n, r, w, e);
    if (!sets_are_good(&sets))
        return REAL(select)(sets.n, r, w, e, timeout);
    deadline_t deadline = timeout ? deadline_after(timeval_to_ns(timeout)) : DEADLINE_NEVER;
    long result = select_until(&sets, deadline);
    if (timeout) { /* Linux tells what is left */
        struct timespec left = ns_to_timespec(deadline_left(deadline));
        timeout->tv_sec = left.tv_sec;
        timeout->tv_usec = left.tv_nsec / 1000;
    }
    return (int)errno_edge(result);
}

int evy_pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout,
                const sigset_t *mask)
{
    deadline_t deadline;
    cancel_point();
    if (!self() || n < 0 || deadline_from_rel(timeout, &deadline))
        return REAL(pselect)(n, r, w, e, timeout, mask);
    struct fd_sets sets = sets_of(n, r, w, e);
    if (!sets_are_good(&sets) || !probe_given(mask, MASK_BYTES))
        return REAL(pselect)(sets.n, r, w, e, timeout, mask);
    struct signal_mask_swap swap;
    signals_swap_mask(&swap, mask);
    long result = select_until(&sets, deadline);
    signals_restore_mask(&swap);
    return (int)errno_edge(result);
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
    return looked(g, r);
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
