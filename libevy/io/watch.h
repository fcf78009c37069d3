/* Edges: from libevent's callback to the green threads that wait for a descriptor. */
#ifndef EVY_WATCH_H
#define EVY_WATCH_H

#include "base/base.h"
#include "base/clock.h"
#include "core/lot.h"
#include "io/fdtab.h"

/* Something may have become possible in this direction: wakes up to count consumers and all onlookers. */
void fd_edge(struct fd *s, int dir, unsigned count);

/* Drops the registration: the number is being closed or reused. */
void watch_retire(struct fd *s);

/* At start: tells the scheduler whom to call when a descriptor is ready, and before a hub stops, whose descriptors then
   register elsewhere. */
void watch_start(void);

/* Waits for an edge after the one counted as seq (read before the call that answered EAGAIN). Returns 0,
   -EBADF when closed meanwhile, -ETIMEDOUT, -ECANCELED, -EINTR or another -errno. */
int fd_wait(struct fd *s, int fd, int dir, unsigned seq, deadline_t deadline);

/* The same by who is in a critical section. */
int fd_wait_inside(struct fd *s, int fd, int dir, unsigned seq, deadline_t deadline);

/* Waits for several descriptors at once. Fill with fd_wait_add, then fd_wait_any, which also empties it. */
struct fd_wait_entry {
    struct fd *slot;           /* the descriptor's */
    struct evloop_watch *once; /* registration of this wait only, where edges are not to be had */
    int fd;                    /* its number */
    int dir;                   /* FD_READ or FD_WRITE */
    unsigned seq;              /* what had been counted before the program's sets were looked at */
};

struct fd_wait_set {
    struct fd_wait_entry *entries; /* room for as many as are added */
    struct waiter *waiters;        /* likewise; entry i waits as waiters[i] at slot->seq[dir] */
    unsigned count;                /* used */
};

/* Remembers what has been counted so far. */
void fd_wait_add(struct fd_wait_set *set, struct fd *s, int fd, int dir);

/* Waits for any edge since fd_wait_add. Returns as fd_wait, without -EBADF. */
int fd_wait_any(struct fd_wait_set *set, deadline_t deadline);

#endif
