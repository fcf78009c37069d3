/* The base of GS, which is the program's: the kernel keeps one for each of its threads. */
#ifndef EVY_SEGMENT_H
#define EVY_SEGMENT_H

#include "base/sys.h"
#include "tp.h"

#include <asm/prctl.h>
#include <sys/auxv.h>

static inline uintptr_t segment_get(void)
{
    uintptr_t base;
    if (likely(tp_fast))
        __asm__ volatile("rdgsbase %0" : "=r"(base));
    else
        sys3(SYS_arch_prctl, ARCH_GET_GS, &base, 0);
    return base;
}

static inline void segment_set(uintptr_t base)
{
    if (likely(tp_fast))
        __asm__ volatile("wrgsbase %0" : : "r"(base) : "memory");
    else
        sys3(SYS_arch_prctl, ARCH_SET_GS, base, 0);
}

/* Signs that the program is about to set the base: it asks for this word of the auxiliary vector, to know whether there is
   the instruction, or makes the system call of that number. */
static inline bool segment_asks(unsigned long type)
{
    return type == AT_HWCAP2;
}

static inline bool segment_sets(long number)
{
    return number == SYS_arch_prctl;
}

#endif
