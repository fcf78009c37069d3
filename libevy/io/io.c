#include "io/io.h"

#include "base/sys.h"
#include "body/critical.h"
#include "core/sched.h"
#include "io/blocking.h"
#include "io/watch.h"
#include "proc/signals.h"
#include "sync/cancel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

/* O_NONBLOCK belongs to the open file: whoever shares it may have changed it. */
static bool nonblock_elsewhere(struct io *io)
{
    if (fd_has(io->slot, FD_OURS | FD_KERNEL_NONBLOCK))
        return false;
    long status = sys_fcntl(io->fd, F_GETFL, 0);
    return status >= 0 && status & O_NONBLOCK;
}

/* A byte in a pipe may be a lock. Who takes it again at once does so before the hub has polled, and those who wait do
   not even learn that it was there: on one hub for ever. */
#define PASSES 4
#define BEHIND_NS (NSEC_PER_SEC / 2000) /* at most: those who wait may go away */

static void count_pass(struct fd *s)
{
    unsigned passed = atomic_load_explicit(&s->passed, memory_order_relaxed);
    bool again = lot_awaited(&s->seq[FD_READ]);
    if (unlikely(again ? passed < PASSES : passed > 0))
        atomic_store_explicit(&s->passed, (unsigned char)(again ? passed + 1 : 0),
                              memory_order_relaxed);
}

/* The caller has passed others often enough: it waits for its turn behind them. */
static EVY_COLD void stand_behind(struct io *io)
{
    struct fd *s = io->slot;
    unsigned seq = atomic_load(&s->seq[FD_READ]);
    atomic_store_explicit(&s->passed, 0, memory_order_relaxed);
    if (io->may_wait && !nonblock_elsewhere(io) && lot_awaited(&s->seq[FD_READ]))
        io->waited =
            lot_park(&s->seq[FD_READ], seq, deadline_after(BEHIND_NS), LOT_CANCEL | LOT_FD) == 0;
}

static inline void begin(struct io *io, struct fd *s, int fd, int dir, bool nonblock)
{
    const struct green *g = self();
    *io = (struct io){
        .slot = s,
        .fd = fd,
        .dir = dir,
        .may_wait = !nonblock && !fd_has(s, FD_USER_NONBLOCK),
        .generation = atomic_load_explicit(&s->generation, memory_order_relaxed),
        .handled = g->handled,
        .breaks = g->breaks,
        .seq = atomic_load(&s->seq[dir]),
    };
}

static inline bool has_passed(const struct fd *s, int dir)
{
    return dir == FD_READ && atomic_load_explicit(&s->passed, memory_order_relaxed) >= PASSES;
}

static EVY_COLD bool begin_slow(struct io *io, int fd, int dir, bool nonblock)
{
    struct fd *s = fd_known(fd);
    cancel_point();
    if (!s || !self() || fd_kind(s) <= FD_FILE)
        return false;
    begin(io, s, fd, dir, nonblock);
    if (has_passed(s, dir)) {
        stand_behind(io);
        io->seq = atomic_load(&s->seq[dir]);
    }
    return true;
}

/* What calls out is in a function of its own: the way past it saves no registers. */
bool io_begin(struct io *io, int fd, int dir, bool nonblock)
{
    struct fd *s = fd_slot_there(fd);
    const struct green *g = self();
    if (unlikely(!s || !g || fd_kind(s) <= FD_FILE || has_passed(s, dir) ||
                 atomic_load_explicit(&g->interrupted, memory_order_relaxed)))
        return begin_slow(io, fd, dir, nonblock);
    begin(io, s, fd, dir, nonblock);
    return true;
}

deadline_t io_deadline(struct io *io)
{
    if (!io->deadline) {
        int64_t ns = atomic_load_explicit(&io->slot->timeout[io->dir], memory_order_relaxed);
        io->deadline = ns ? deadline_after(ns) : DEADLINE_NEVER;
    }
    return io->deadline;
}

long interrupted(long r)
{
    if (r == -ECANCELED)
        cancel_now();
    if (r == -EINTR && signals_deliver())
        return 0;
    return r;
}

static bool reused(const struct io *io)
{
    return atomic_load_explicit(&io->slot->generation, memory_order_relaxed) != io->generation;
}

/* Whether a handler that has run since the call began ends it. SA_RESTART does not go for sockets with a timeout
   (signal(7)). */
static bool broken(struct io *io)
{
    const struct green *g = self();
    return unlikely(g->handled != io->handled) &&
           (g->breaks != io->breaks || io->done || io_deadline(io) != DEADLINE_NEVER);
}

/* In a critical section from the look at what has run: a signal that comes later ends the wait. */
static long unbroken_wait(struct io *io)
{
    struct green *g = self();
    critical_enter_as(g);
    long r =
        broken(io) ? -EINTR : fd_wait_inside(io->slot, io->fd, io->dir, io->seq, io_deadline(io));
    sched_expect_next(); /* a system call follows */
    return critical_leave_wait(g, r);
}

/* After a wait that answered r: what must not be held in a handler is not. */
static long after_wait(struct io *io, long r)
{
    if (likely(r != -EINTR && r != -ECANCELED))
        return r;
    bool turn = self()->turn == io;
    io_turn_over(io);
    r = interrupted(r);
    if (r == 0 && broken(io))
        return -EINTR;
    return r == 0 && turn ? io_turn(io) : r;
}

/* No handler may come between the word and the note, or between being woken and the word: it could leave for good. */
static bool take_turn(struct io *io)
{
    struct green *g = self();
    unsigned free = TURN_FREE;
    critical_enter_as(g);
    if (likely(atomic_compare_exchange_strong(&io->slot->turn, &free, TURN_TAKEN)))
        g->turn = io;
    critical_leave_as(g);
    return free == TURN_FREE;
}

static long await_turn(struct io *io)
{
    struct green *g = self();
    atomic_uint *turn = &io->slot->turn;
    bool taken = false;
    unsigned lost = 0;
    long r = 0;
    critical_enter_as(g);
    while (r == 0 && !reused(io) && !(taken = atomic_exchange(turn, TURN_AWAITED) == TURN_FREE)) {
        r = lot_park(turn, TURN_AWAITED, io_deadline(io),
                     LOT_CANCEL | LOT_SIGNAL | lot_starving(lost));
        lost += r == 0;
        r = r == -EAGAIN ? 0 : r;
    }
    if (taken)
        g->turn = io;
    return critical_leave_wait(g, r);
}

long io_turn(struct io *io)
{
    struct green *g = self();
    if (!io->may_wait || unlikely(g->handlers != NULL) || likely(take_turn(io)))
        return 0;
    long r = 0;
    while (r == 0 && g->turn != io) {
        r = after_wait(io, await_turn(io));
        if (reused(io))
            r = -EBADF;
    }
    return r == -ETIMEDOUT ? -EAGAIN : r;
}

/* Also what has been closed meanwhile: a turn given back too often costs order, one kept stops everybody. */
void io_turn_back(struct io *io)
{
    struct green *g = self();
    critical_enter_as(g);
    g->turn = NULL;
    if (unlikely(atomic_exchange(&io->slot->turn, TURN_FREE) == TURN_AWAITED))
        lot_unpark_fenced(&io->slot->turn, 1);
    critical_leave_as(g);
}

void io_abandon(void)
{
    if (unlikely(self()->turn != NULL))
        io_turn_over(self()->turn);
    blocking_abandon(self());
}

long io_wait(struct io *io)
{
    if (!io->may_wait || (!io->waited && nonblock_elsewhere(io)))
        return -EAGAIN;
    io->waited = true;
    long r = after_wait(io, unbroken_wait(io));
    if (reused(io))
        return -EBADF;
    io->seq = atomic_load(&io->slot->seq[io->dir]);
    return r == -ETIMEDOUT ? -EAGAIN : r;
}

static void set_status(int fd, int flag, bool on)
{
    long status = sys_fcntl(fd, F_GETFL, 0);
    if (status >= 0)
        sys_fcntl(fd, F_SETFL, on ? status | flag : status & ~(long)flag);
}

bool io_set_nonblock(struct io *io)
{
    if (!fd_has(io->slot, FD_OURS))
        return false;
    if (fd_has(io->slot, FD_KERNEL_NONBLOCK))
        return true;
    fd_set_flag(io->slot, FD_KERNEL_NONBLOCK, true);
    set_status(io->fd, O_NONBLOCK, true);
    return true;
}

void io_clear_nonblock(struct io *io)
{
    if (reused(io))
        return;
    if (!fd_has(io->slot, FD_USER_NONBLOCK))
        set_status(io->fd, O_NONBLOCK, false);
    fd_set_flag(io->slot, FD_KERNEL_NONBLOCK, false);
}

/* A full error queue alone is no failure. What came before one is read first. */
bool io_has_failed(const struct io *io)
{
    struct pollfd p = {.fd = io->fd};
    struct timespec zero = {0, 0};
    int queued = 0;
    sys_call6(SYS_ppoll, (long)&p, 1, (long)&zero, 0, 0, 0);
    if (io->dir == FD_READ)
        sys3(SYS_ioctl, io->fd, FIONREAD, &queued);
    return p.revents & POLLERR && p.revents & POLLHUP && queued == 0;
}

long io_end(struct io *io, long r)
{
    io_turn_over(io);
    if (unlikely(r == -EBADF))
        cancel_point(); /* who closed it in the middle may have cancelled us before */
    if (!io->waited || r < 0)
        sched_tick();
    else if (!io_drained(io)) /* there may be more, for others who wait here */
        lot_unpark_fenced(&io->slot->seq[io->dir], 1);
    if (!io->waited && io->dir == FD_READ && fd_kind(io->slot) == FD_OTHER)
        count_pass(io->slot);
    return errno_edge(r);
}
