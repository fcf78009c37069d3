/* Looking at what runs. Texts are malloc'ed, NULL with errno ENOMEM; nothing here switches. Eventlet: debug. Left out: spew,
   a tracer of source lines, for which C has gdb; listener and timer stacks, as a green thread's own stack shows who waits
   (evy bt, or the gdb commands); tpool_exceptions, as evy_blocking reports by errno; format_asyncio_info. */
#ifndef EVY_DEBUG_PUBLIC_H
#define EVY_DEBUG_PUBLIC_H

#ifdef __cplusplus
extern "C" {
#endif

/* A line for each wait for a descriptor, under READERS: and WRITERS:. */
char *evy_debug_format_listeners(void);

/* A line for each deadline, nearest first by hub, under TIMERS:. */
char *evy_debug_format_timers(void);

/* A line for each light green thread: identity, name, state. */
char *evy_debug_format_threads(void);

/* on: a line on stderr (or where EVY_LOG says) for each green thread that ends by evy_exit_error with another errno than
   ECANCELED. Off at the start. Returns what was set. Eventlet: hub_exceptions. */
int evy_debug_hub_exceptions(int on);

/* A line for each cooperative green thread that does not give way for that long: its identity and name. 0: off, as at the
   start. Below 0.02 counts as that. A report is all there can be: Eventlet raises an error in the offender. Returns 0, or
   -1 with errno EINVAL (NaN), EAGAIN (no kernel thread to be had). Eventlet: hub_blocking_detection. */
int evy_debug_blocking(double seconds);

/* Whether a second evy_hub_add for one descriptor and direction is refused with EBUSY; on at the start. Calls of libc may
   always share a descriptor, as POSIX has it. Returns what was set. Eventlet: hub_prevent_multiple_readers. */
int evy_debug_prevent_multiple_readers(int on);

#ifdef __cplusplus
}
#endif

#endif
