/* Where carriers are kept: a slot for each, that of the main kernel thread first. */
#ifndef EVY_CARRIER_POOL_H
#define EVY_CARRIER_POOL_H

#include "core/carrier.h"

/* An unused slot, cleared; NULL when there is none. */
struct carrier *slot_take(void);

/* c's kernel thread has ended, or was not to be had. */
void slot_put(struct carrier *c);

/* The main kernel thread's; it is counted from slot_take_main on. */
struct carrier *slot_main(void);
void slot_take_main(void);

/* Carriers whose kernel threads live. */
unsigned slots_used(void);

#endif
