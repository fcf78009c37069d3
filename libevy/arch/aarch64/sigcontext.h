/* What a signal handler's third argument tells about the code it interrupted, aarch64. */
#ifndef EVY_SIGCONTEXT_H
#define EVY_SIGCONTEXT_H

#include <errno.h>
#include <stdint.h>
#include <ucontext.h>

static inline uintptr_t sigcontext_sp(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.sp;
}

static inline uintptr_t sigcontext_pc(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.pc;
}

static inline void sigcontext_set_pc(ucontext_t *uc, uintptr_t pc)
{
    uc->uc_mcontext.pc = pc;
}

/* If the interrupted code is about to make a system call, also once more after SA_RESTART, that answers EINTR. */
static inline void sigcontext_interrupt(ucontext_t *uc)
{
    if (*(const uint32_t *)uc->uc_mcontext.pc != 0xd4000001) /* svc #0 */
        return;
    uc->uc_mcontext.pc += 4;
    uc->uc_mcontext.regs[0] = (uint64_t)-EINTR;
}

#endif
