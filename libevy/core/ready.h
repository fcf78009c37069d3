/* From epoll's answer straight to who waits. libevent registers descriptors, but its own way from there to a callback
   (a table by number, a list, a queue of active events) is four more cache lines for each. */
#ifndef EVY_READY_H
#define EVY_READY_H

#include "base/base.h"
#include "core/lot.h"

#include <stdint.h>
#include <sys/epoll.h>

/* Taken from epoll at a time: more, and what waking them has brought into the cache is gone by the time they run;
   fewer, and the call costs more than it shares out. Less than half a budget (loop.c), as answering costs two. */
#define READY_MOST LOT_EXPECT_MOST

/* What epoll is to say when the registration with that argument is ready. */
uint64_t ready_data(const void *arg);

/* Calls evloop_ready for those of n events that ready_data has marked, moves the others to the front and returns how
   many these are. On the hub's loop. */
int ready_dispatch(struct epoll_event *events, int n);

#endif
