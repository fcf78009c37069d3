/* Timers and listeners, for who ends all of a hub's. */
#ifndef EVY_API_TIMER_H
#define EVY_API_TIMER_H

#include "core/hub.h"

/* Cancels t if it is an evy_timer's: whether it is. */
bool timer_drop(struct timer *t);

/* Every listener is spent. */
void listeners_drop(void);

#endif
