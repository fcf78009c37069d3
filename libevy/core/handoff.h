/* Giving a hub to another carrier: when its green thread does not come back, or is about to block. The green thread is
   stranded on the carrier it runs on, and rejoins its hub at its next critical section (carrier_rejoin). */
#ifndef EVY_HANDOFF_H
#define EVY_HANDOFF_H

#include "base/base.h"

struct hub;

/* Gives h to a spare carrier if its green thread has been running program code all this time, and tells whether
   it did. Only the monitor calls this. */
bool handoff_take_over(struct hub *h);

/* The running green thread is about to block in a call that we cannot make green. If others wait for its hub
   the hub goes to a spare carrier at once, else when the monitor sees it stuck. blocking_end rejoins. A signal
   that comes before the call is handled first. */
void blocking_begin(void);
void blocking_end(void);

#endif
