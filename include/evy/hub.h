/* Hubs: what drives green threads. */
#ifndef EVY_HUB_PUBLIC_H
#define EVY_HUB_PUBLIC_H

#ifdef __cplusplus
extern "C" {
#endif

/* A hub; lives as long as the process. */
typedef struct evy_hub evy_hub;

/* fn(arg) is called soon on hub's own stack, beside its green threads, after what was posted to it before; NULL: the hub
   of the main thread. fn may spawn, wake and post, but not wait (EDEADLK), and holds up the hub while it runs. From any
   thread, libevy's or not, and from signal handlers; allocates nothing, does not switch. Returns 0, or -1 with errno
   EPERM (no runtime runs), EINVAL (fn is NULL), EAGAIN (1,024 calls wait already, over all hubs). What waits when the
   process forks is not called in the child. Eventlet: hub.schedule_call_global(0, ...) from elsewhere. */
int evy_call_soon(evy_hub *hub, void (*fn)(void *arg), void *arg);

/* What the hubs have done since the runtime started, each number modulo 2^32. Any thread, async-signal-safe. C alone. */
typedef struct evy_counts {
    unsigned hubs;      /* how many there are; 0: no runtime runs */
    unsigned switches;  /* from one green thread, or the hub's loop, to another */
    unsigned hand_offs; /* to another kernel thread, because a green thread did not wait */
    unsigned
        moves; /* of green threads from one hub to another, because either had too much or too little to do */
} evy_counts;
void evy_hub_counts(evy_counts *counts);

/* The hub of the running green thread; NULL with errno as evy_getcurrent. Eventlet: get_hub. */
evy_hub *evy_hub_get(void);

/* Which backend of libevent waits for descriptors: "epoll", "poll" or "select"; NULL: the default, what EVY_HUB_METHOD says
   or epoll. Before the first green thread only (Eventlet's drops the timers and listeners of the hub it replaces). 0, or
   -1 with errno EINVAL (unknown), ENOTSUP (not available), EBUSY (hubs run). Eventlet: use_hub. */
int evy_hub_use(const char *method);
const char *evy_hub_method(void);          /* the one in use, or that will be */
int evy_hub_available(const char *method); /* 1 or 0 */

/* Seconds on the clock that hubs go by, CLOCK_MONOTONIC. Any thread. Eventlet: hub.clock. */
double evy_hub_clock(void);

/* Timers call cb(arg) on the hub's own stack: it may spawn, wake, kill, put without waiting, but not wait (EDEADLK), and
   holds up its hub while it runs. A timer belongs to the hub of who made it, and is used from there only. Returns a
   handle, which evy_timer_free ends, or NULL with errno EINVAL (cb NULL, NaN), ENOMEM & co. None of these switches.
   evy_hub_call_local's is not called once the green thread that made it is dead (main never is).
   Eventlet: schedule_call_global, schedule_call_local. */
typedef struct evy_timer evy_timer;
evy_timer *evy_hub_call_global(double seconds, void (*cb)(void *arg), void *arg);
evy_timer *evy_hub_call_local(double seconds, void (*cb)(void *arg), void *arg);

/* An unscheduled twin; Eventlet: Timer.copy. */
evy_timer *evy_timer_dup(const evy_timer *t);

/* Arms t anew, from now. 0, or -1 with errno EBUSY (pending), EINVAL, ENOMEM. */
int evy_timer_schedule(evy_timer *t, double seconds);

/* No effect after it was called, any number of times. Returns 1 when that was in time, else 0. */
int evy_timer_cancel(evy_timer *t);

/* 1 while it is to be called: 0 for a local one whose green thread is dead. */
int evy_timer_pending(const evy_timer *t);

/* Cancels and frees it; also from its own callback. */
void evy_timer_free(evy_timer *t);

/* cb(fd, arg) is called each time fd is found ready, until evy_hub_remove: in a green thread of the listener's, so it may
   wait. When fd is closed or reused, err_cb(fd, errno, arg) is called, if not NULL, and the listener is spent. event is 1
   to read, 2 to write (EVY_READ, EVY_WRITE of evy/net.h). Of several listeners for one descriptor and direction only the
   oldest is called, and by default there may be but one. NULL with errno EBUSY, EINVAL, ENOMEM & co. Eventlet: hub.add.
 */
typedef struct evy_listener evy_listener;
evy_listener *evy_hub_add(int event, int fd, void (*cb)(int fd, void *arg),
                          void (*err_cb)(int fd, int err, void *arg), void *arg);

/* Ends a listener, spent or not, and frees it; also from its callback. May switch. 0 or -1 EINVAL. */
int evy_hub_remove(evy_listener *l);

/* Calls every listener of fd once, then they are spent. Eventlet: remove_descriptor. */
int evy_hub_remove_fd(int fd);

/* What the caller's hub was to do later it will not: timers are cancelled, green threads that wait for their time end with
   ECANCELED, timeouts do not fire, listeners are spent. Green threads that sleep go on sleeping to their time, and the hub
   itself goes on: it ends with the process. wait: also lets everybody run once. 0, or -1 with errno EDEADLK (wait in a
   callback of the hub) & co. Eventlet: hub.abort. */
int evy_hub_abort(int wait);

/* For tests and listings, over all hubs: waits for a descriptor to be read, to be written, and what waits for a time
   (sleepers, timers, timeouts, waits that have one). Eventlet: get_readers, get_writers, get_timers_count. */
unsigned evy_hub_nreaders(void);
unsigned evy_hub_nwriters(void);
unsigned evy_hub_ntimers(void);

#ifdef __cplusplus
}
#endif

#endif
