/* The opposite of sharing: hubs that all have little to do, a little at a time, pay a sleep and a wake-up of a kernel
   thread for each little, where one of them alone would find more at each look. Then the one with the higher number
   gives away whatever gets ready there. */
#ifndef EVY_GATHER_H
#define EVY_GATHER_H

#include "core/hub.h"

/* On h's carrier: it has worked for so long since it last slept and is about to sleep again. */
void gather_slept(struct hub *h, int64_t now, int64_t worked);

/* Who is to have what is ready on h; NULL: nobody. */
struct hub *gather_to(const struct hub *h, int64_t now);

/* Whether h, busy for so long, had better not give away ready ones: it has just been given another's, and their turns
   are short. */
bool gather_holds(const struct hub *h, int64_t now, int64_t busy);

#endif
