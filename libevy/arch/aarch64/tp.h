/* The thread pointer register, aarch64: TPIDR_EL0, always writable. */
#ifndef EVY_TP_H
#define EVY_TP_H

#include "base/base.h"

#define tp_fast true

static inline void tp_init(void) {}

static EVY_INLINE uintptr_t tp_get(void)
{
    uintptr_t tp;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(tp));
    return tp;
}

static EVY_INLINE void tp_set(uintptr_t tp)
{
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(tp) : "memory");
}

#endif
