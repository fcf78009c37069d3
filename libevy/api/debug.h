/* What the switches of evy/debug.h mean to other files. */
#ifndef EVY_API_DEBUG_H
#define EVY_API_DEBUG_H

#include "body/green.h"

extern atomic_bool debug_one_reader; /* a second listener is refused */

/* g ends with that errno. */
EVY_COLD void debug_ended_with(const struct green *g, int err);

#endif
