/* Memory for green threads' stacks: slabs of equal stacks in one mapping, committed lazily, with guards
 * that cost no mapping where the kernel can (MADV_GUARD_INSTALL), recycled without system calls.
 *
 *   low address                                                              high address
 *   +---------+--------------------------------------------+-----------------------------+
 *   |  guard  |  usable stack, grows down  <----------------|  top: descriptor, TCB (tcb.h)|
 *   +---------+--------------------------------------------+-----------------------------+
 *   ^ map     ^ low = map + guard                                          map + total ^
 */
#ifndef EVY_STACK_H
#define EVY_STACK_H

#include "base/base.h"

struct stack {
    char *map; /* start of this stack's part of its slab, guard included */
    size_t
        guard; /* bytes of guard at map that fault; 0 when guards ran out or none was asked for */
    size_t total; /* bytes from map to the top, a size class */
};

/* Finds out which kind of guard works here. Once, before the first stack_alloc. */
void stack_init(void);

/* A stack with at least size usable bytes and, while guards last, at least guard bytes below them.
   Its top pages may hold what an earlier owner left. Returns 0, -EAGAIN without memory. Any thread. */
int stack_alloc(struct stack *out, size_t size, size_t guard);

/* Gives the stack back for reuse; it must not be running on any carrier. Any thread. */
void stack_free(const struct stack *s);

/* What lies on it may be run, too. */
void stack_allow_code(const struct stack *s);

static inline char *stack_low(const struct stack *s)
{
    return s->map + s->guard;
}

static inline char *stack_top(const struct stack *s)
{
    return s->map + s->total;
}

/* For statistics and tests. */
struct stack_stats {
    size_t mapped;  /* bytes of address space in slabs */
    size_t live;    /* stacks handed out */
    size_t pooled;  /* stacks waiting for reuse */
    int guard_kind; /* 0 none left, 1 PROT_NONE, 2 MADV_GUARD_INSTALL */
};
struct stack_stats stack_stats(void);

/* Around fork: takes this file's locks, or gives them back, in parent and child. */
void stack_fork_locks(bool take);

#endif
