/* The thread pointer register, x86-64: the FS base. */
#ifndef EVY_TP_H
#define EVY_TP_H

#include "base/base.h"

/* Whether user code may write the register itself (FSGSBASE); otherwise arch_prctl, 20 times slower. */
extern bool tp_fast;

/* Probes AT_HWCAP2. Once, at start. */
void tp_init(void);

void tp_set_slow(uintptr_t tp);

static EVY_INLINE uintptr_t tp_get(void)
{
    uintptr_t tp; /* the first word of the TCB is its own address (x86-64 psABI, variant II) */
    __asm__("mov %%fs:0, %0" : "=r"(tp));
    return tp;
}

static EVY_INLINE void tp_set(uintptr_t tp)
{
    if (likely(tp_fast))
        __asm__ volatile("wrfsbase %0" : : "r"(tp) : "memory");
    else
        tp_set_slow(tp);
}

#endif
