/* What a signal handler's third argument tells about the code it interrupted, x86-64. */
#ifndef EVY_SIGCONTEXT_H
#define EVY_SIGCONTEXT_H

#include <errno.h>
#include <stdint.h>
#include <ucontext.h>

static inline uintptr_t sigcontext_sp(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
}

static inline uintptr_t sigcontext_pc(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
}

static inline void sigcontext_set_pc(ucontext_t *uc, uintptr_t pc)
{
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
}

/* If the interrupted code is about to make a system call, also once more after SA_RESTART, that answers EINTR. */
static inline void sigcontext_interrupt(ucontext_t *uc)
{
    greg_t *regs = uc->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)regs[REG_RIP];
    if (code[0] != 0x0f || code[1] != 0x05)
        return;
    regs[REG_RIP] += 2;
    regs[REG_RAX] = -EINTR;
}

#endif
