/* What the runtime has done, for one line at the end of the process and for observers, while EVY_STATS=1 asks for it
   (OBSERVE_STATS). */
#ifndef EVY_STATS_H
#define EVY_STATS_H

#include "base/base.h"

/* Before the hubs run. */
void stats_start(void);

/* In a forked child: it counts afresh. */
void stats_forget(void);

/* A green thread has been started, or has ended. Main counts for neither. */
EVY_COLD void stats_started(void);
EVY_COLD void stats_ended(void);

/* A system call that would only have said EAGAIN was left out. */
EVY_COLD void stats_saved(void);

/* Writes the line if it is asked for. */
void stats_write(void);

#endif
