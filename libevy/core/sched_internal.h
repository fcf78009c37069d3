/* What sched.c and loop.c share. All on the carrier of the hub, in a critical section. */
#ifndef EVY_SCHED_INTERNAL_H
#define EVY_SCHED_INTERNAL_H

#include "core/hub.h"

/* Continues `to`. Returns when somebody continues `from`, which may then be on another carrier: nothing
   read before may be believed after. */
void sched_switch_to(struct green *from, struct green *to);

/* The next green thread of h, or its loop when it is time to poll or there is none. */
struct green *sched_pick(struct hub *h);

/* Makes g, of h, runnable, or its next park return at once. */
void sched_wake(struct hub *h, struct green *g);

/* Does what others have asked for h's green threads. */
void sched_take_inbox(struct hub *h);

/* Whether somebody with more than that priority is ready. */
bool sched_has_ready(const struct hub *h, int than);

#endif
