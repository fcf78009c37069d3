/* This CPU has no such register that is the program's. */
#ifndef EVY_SEGMENT_H
#define EVY_SEGMENT_H

#include "base/base.h"

static inline uintptr_t segment_get(void)
{
    return 0;
}

static inline void segment_set(uintptr_t base)
{
    (void)base;
}

static inline bool segment_asks(unsigned long type)
{
    (void)type;
    return false;
}

static inline bool segment_sets(long number)
{
    (void)number;
    return false;
}

#endif
