/* What the two halves of syscall() share. unmasked.c builds both once more, under names of its own. */
#ifndef EVY_SYSCALL_SIGNAL_H
#define EVY_SYSCALL_SIGNAL_H

#include "hook.h"

/* The kernel is to say what is wrong. */
static inline long raw(long number, const long *a)
{
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* True with *r set when number concerns signals or timers, and a[] is what the kernel would take. */
bool signal_call(long number, const long *a, long *r) __asm__(HOOK_SYMBOL(signal_call));

#endif
