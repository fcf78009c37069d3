/* The shape of every green I/O call: try without blocking; while the answer is EAGAIN, wait and try again. */
#ifndef EVY_IO_H
#define EVY_IO_H

#include "base/base.h"
#include "base/clock.h"
#include "body/green.h"
#include "core/raise.h"
#include "io/fdtab.h"

#include <errno.h>

struct io {
    struct fd *slot;     /* the descriptor's */
    int fd;              /* its number */
    int dir;             /* what the call does: FD_READ or FD_WRITE */
    bool may_wait;       /* neither the descriptor nor the call asks for EAGAIN */
    bool waited;         /* has parked: hand readiness on afterwards */
    unsigned seq;        /* edges counted before the current try */
    unsigned generation; /* of the slot when the call began */
    unsigned
        handled; /* the green thread's counts of handlers then: one may run between two waits */
    unsigned breaks;
    size_t done;         /* bytes moved so far: a signal ends the call with them */
    deadline_t deadline; /* from SO_RCVTIMEO/SO_SNDTIMEO at the first wait; 0: not known yet */
};

/* Begins a call. False: let the next definition do it (files, numbers nobody opened). nonblock: the call
   itself forbids waiting. A cancellation point. */
bool io_begin(struct io *io, int fd, int dir, bool nonblock);

/* The same to receive from a socket; false also for what is none. Urgent data and errors are there or not: Linux does
   not wait for them. */
bool recv_begin(struct io *io, int fd, int flags);

/* After -EAGAIN: waits for an edge. Returns 0 to try again, or why not: -EAGAIN (not allowed to wait, or the
   socket's timeout passed), -EBADF, -EINTR. Does not return when the green thread is cancelled. */
long io_wait(struct io *io);

/* For a blocking write: waits until no other one is in the middle of the descriptor. Returns as io_wait. Given up by
   io_end, by io_turn_over, and by io_wait before a handler runs or the green thread ends. A handler does not wait: its
   own thread may have been interrupted in the middle of a write. */
long io_turn(struct io *io);
void io_turn_back(struct io *io);

static inline void io_turn_over(struct io *io)
{
    if (self()->turn == io)
        io_turn_back(io);
}

/* The running green thread leaves the call it is in by longjmp or pthread_exit. */
void io_abandon(void);

/* Until when the call may wait. */
deadline_t io_deadline(struct io *io);

/* Makes the kernel answer EAGAIN where a call has no flag for it: sets O_NONBLOCK if no other process or
   number shares the open file. The program keeps seeing its own flag. Undone by io_clear_nonblock. */
bool io_set_nonblock(struct io *io);
void io_clear_nonblock(struct io *io);

/* Nothing has come since a read that took all there was. */
static inline bool io_drained(const struct io *io)
{
    return io->dir == FD_READ &&
           atomic_load_explicit(&io->slot->drained, memory_order_relaxed) == io->seq &&
           !fd_has(io->slot, FD_UNDRAINABLE);
}

/* Whether the stream has failed since the call moved a part: the kernel tells the error once, to the next call. */
EVY_COLD bool io_has_failed(const struct io *io);

static inline bool io_failed_midway(const struct io *io)
{
    const struct fd *s = io->slot;
    return unlikely(io->done && (fd_has(s, FD_UNDRAINABLE) || !atomic_load(&s->watch))) &&
           io_has_failed(io);
}

/* Ends a call: r is a result or -errno. Returns what the program gets, errno set. */
long io_end(struct io *io, long r);

/* Evaluates expr, which gives a result or -errno, until it does not say -EAGAIN or waiting is over. */
#define IO_TRY(io, expr)                                                                           \
    ({                                                                                             \
        long r_;                                                                                   \
        while ((r_ = (expr)) == -EAGAIN && (r_ = io_wait(io)) == 0)                                \
            ;                                                                                      \
        r_;                                                                                        \
    })

/* A libc-style answer as a result or -errno. */
static inline long or_errno(long r)
{
    return unlikely(r < 0) ? -errno : r;
}

/* A result or -errno in libc's style, at the public edge. */
static inline long errno_edge(long r)
{
    if (likely(r >= 0))
        return r;
    errno = error_edge(r);
    return -1;
}

/* A wait that was interrupted: runs the handlers that are due, ends the thread if it is cancelled. Returns 0
   when the call goes on (SA_RESTART), else r. */
long interrupted(long r);

#endif
