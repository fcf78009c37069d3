/* Addresses that the program gives may be bad. The kernel answers EFAULT; hooks that read behind one ask first, and leave
   the call to libc where it cannot be read. */
#ifndef EVY_PROBE_H
#define EVY_PROBE_H

#include "base/base.h"

/* Each CPU's probe.S; what its load causes is made good by probe_repair. */
bool probe_byte(const void *at);

#define PROBE_STEP 4096 /* the smallest page there is */

/* Whether n bytes can be read at p. */
static inline bool probe(const void *p, size_t n)
{
    const char *at = p, *last = at + n - 1;
    if (n == 0)
        return true;
    if (unlikely((uintptr_t)last < (uintptr_t)at))
        return false;
    for (; at < last; at += PROBE_STEP)
        if (!probe_byte(at))
            return false;
    return probe_byte(last);
}

/* For arguments that may be NULL. */
static inline bool probe_given(const void *p, size_t n)
{
    return !p || probe(p, n);
}

/* Where code goes on that has faulted at pc, 0 when it was no probe. */
static inline uintptr_t probe_repair(uintptr_t pc)
{
    extern const char probe_load[], probe_failed[];
    return pc == (uintptr_t)probe_load ? (uintptr_t)probe_failed : 0;
}

#endif
