/* Backtraces of green threads, through elfutils. */
#ifndef EVY_STACK_H
#define EVY_STACK_H

#include "snapshot.h"

/* Prints the frames of g, indented. A green thread that runs is stopped for a moment for that. */
void stack_print(const struct snapshot *s, const struct process *p, const struct green_info *g);

#endif
