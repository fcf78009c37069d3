/* Where a longjmp leads, x86-64: glibc keeps the stack pointer mangled (sysdeps/x86_64/jmpbuf-offsets.h,
   sysdeps/unix/sysv/linux/x86_64/pointer_guard.h). */
#ifndef EVY_JMPBUF_H
#define EVY_JMPBUF_H

#include <setjmp.h>
#include <stdint.h>

static inline uintptr_t jmpbuf_sp(const struct __jmp_buf_tag *env)
{
    enum { JB_RSP = 6 };
    uintptr_t sp = (uintptr_t)env->__jmpbuf[JB_RSP], guard;
    __asm__("mov %%fs:0x30, %0" : "=r"(guard));
    return (sp >> 17 | sp << 47) ^ guard;
}

#endif
