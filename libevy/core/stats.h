/* What the runtime has done, in one line at the end of the process: EVY_STATS=1. */
#ifndef EVY_STATS_H
#define EVY_STATS_H

/* Writes the line if it is asked for. */
void stats_write(void);

#endif
