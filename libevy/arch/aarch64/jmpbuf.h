/* Where a longjmp leads, aarch64: glibc keeps the stack pointer mangled (sysdeps/aarch64/jmpbuf-offsets.h) with a
   guard that it does not export; a buffer of our own, whose stack pointer we know, tells it. */
#ifndef EVY_JMPBUF_H
#define EVY_JMPBUF_H

#include <setjmp.h>
#include <stdint.h>

static inline uintptr_t jmpbuf_sp(const struct __jmp_buf_tag *env)
{
    enum { JB_SP = 13 };
    jmp_buf here;
    uintptr_t sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    _setjmp(here);
    return (uintptr_t)env->__jmpbuf[JB_SP] ^ (uintptr_t)here[0].__jmpbuf[JB_SP] ^ sp;
}

#endif
