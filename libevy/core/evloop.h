/* The private libevent: one base per hub. Green threads never run inside its callbacks. */
#ifndef EVY_EVLOOP_H
#define EVY_EVLOOP_H

#include "base/base.h"
#include "core/hub.h"

/* Makes h's base and wake-up descriptor. Returns 0 or -errno. */
int evloop_open(struct hub *h);
void evloop_close(struct hub *h);

/* Waits for I/O at most until h->sleep_until and calls the callbacks. */
void evloop_poll(struct hub *h);

void evloop_kick(struct hub *h); /* ends evloop_poll from elsewhere */

/* Whether registrations are edge-triggered and persistent (epoll) or one shot per wait (poll, select). */
static inline bool evloop_edge_triggered(const struct hub *h)
{
    return h->edge_triggered;
}

enum { EVLOOP_READ = 1, EVLOOP_WRITE = 2, EVLOOP_CLOSED = 4 };

/* A registration with h's base: on readiness evloop_ready(arg, EVLOOP_*) runs on h's loop, or after its end by a
   hair's breadth. arg stays valid for ever and is the address where who waits for EVLOOP_READ is parked. Only on h's
   carrier. Edge-triggered ones stay until evloop_unwatch, others fire once. Returns 0, -EPERM for descriptors that are
   always ready (regular files), or -errno. */
struct evloop_watch;
int evloop_watch(struct hub *h, int fd, int what, void *arg, struct evloop_watch **out);

/* Set by who registers (io/watch.c). */
extern void (*evloop_ready)(void *arg, int what);

/* Ends a registration of h, from h's carrier. */
void evloop_unwatch(struct hub *h, struct evloop_watch *w);

/* Ends a registration of h whose descriptor is about to be closed, or has one with another hub, from anywhere. last: no other descriptor
   shares its open file, so the kernel forgets it by itself. */
void evloop_retire(struct hub *h, struct evloop_watch *w, bool last);

/* The epoll instance of the base being made is fd. Returns the number libevent is to know it by, or -errno. */
int evloop_epoll_made(int fd);

/* The descriptor that libevent knows by that number. */
int evloop_epoll_fd(int number);

/* Around fork: takes this file's locks, or gives them back, in parent and child. */
void evloop_fork_locks(bool take);

#endif
