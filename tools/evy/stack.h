/* Backtraces of green threads, through elfutils. */
#ifndef EVY_STACK_H
#define EVY_STACK_H

#include "snapshot.h"

struct stacks;

/* For the green threads of a snapshot, which must be ordered by id. */
struct stacks *stacks_open(const struct snapshot *s, const struct process *p);
void stacks_close(struct stacks *stacks);

/* Prints the frames of g, indented. A green thread that runs is stopped for a moment for that. */
void stacks_print(struct stacks *stacks, const struct green_info *g);

#endif
