/* What a signal handler's third argument tells about the code it interrupted, aarch64. */
#ifndef EVY_SIGCONTEXT_H
#define EVY_SIGCONTEXT_H

#include <stdint.h>
#include <ucontext.h>

static inline uintptr_t sigcontext_sp(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.sp;
}

#endif
