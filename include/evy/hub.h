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
} evy_counts;
void evy_hub_counts(evy_counts *counts);

#ifdef __cplusplus
}
#endif

#endif
