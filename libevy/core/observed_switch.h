#ifndef EVY_OBSERVED_SWITCH_H
#define EVY_OBSERVED_SWITCH_H

#include "base/base.h"
#include "body/observe.h"

struct green;
struct hub;

/* While observes(OBSERVE_SWITCHES): h's carrier is about to switch from one to the other. */
EVY_COLD void observed_switch(struct hub *h, struct green *from, struct green *to);

#endif
