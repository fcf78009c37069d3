/* Green threads with a kernel thread of their own. Some of what the kernel keeps belongs to one thread, not to the
   process: namespaces, working directory and umask once they are unshared, capabilities, seccomp filters, ids set by bare
   system calls, what is traced. Who changes it leaves its hub for one that its kernel thread drives for good and where
   nobody else lives; the threads it makes from then on get such hubs too, on kernel threads that inherit as natively. */
#ifndef EVY_APART_H
#define EVY_APART_H

#include "base/base.h"

struct hub;

/* The running green thread is about to change its kernel thread: gives it one of its own, which is the one that runs it
   now if `here`, or if both or neither are the process's main one. May switch. Returns 0 also when it has one or runs
   alone; else with nothing changed -EBUSY in a signal handler and for cooperative ones, which stay with their hub, and
   -EAGAIN when there are no more hubs or kernel threads. */
int apart_go(bool here);

/* The hub for a new green thread of the running one, which lives apart: another one, its own when there is none. */
struct hub *apart_hub_for_new(void);

/* On the loop of h, where nobody lives any more: its kernel thread ends. Returns once h is used again. */
EVY_COLD void apart_leave(struct hub *h);

/* What the floor above does before that: nothing may be registered with h any more. */
extern void (*apart_leaving)(struct hub *h);

/* Nobody drives h. */
void apart_put(struct hub *h);

/* In a forked child: there are none. */
void apart_forget(void);

#endif
