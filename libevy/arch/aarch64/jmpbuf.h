/* Where a longjmp leads, aarch64: glibc keeps the stack pointer and the return address mangled (sysdeps/aarch64/jmpbuf-offsets.h) with a
   guard that it does not export; a buffer of our own, whose stack pointer we know, tells it. */
#ifndef EVY_JMPBUF_H
#define EVY_JMPBUF_H

#include <setjmp.h>
#include <stdint.h>

enum { JB_LR = 11, JB_SP = 13 };

static inline uintptr_t jmpbuf_guard(void)
{
    jmp_buf here;
    uintptr_t sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    _setjmp(here);
    return (uintptr_t)here[0].__jmpbuf[JB_SP] ^ sp;
}

static inline uintptr_t jmpbuf_sp(const struct __jmp_buf_tag *env)
{
    return (uintptr_t)env->__jmpbuf[JB_SP] ^ jmpbuf_guard();
}

/* A longjmp to env shall call fn where env's frame ends. */
static inline void jmpbuf_redirect(struct __jmp_buf_tag *env, void (*fn)(void))
{
    env->__jmpbuf[JB_LR] = (unsigned long)((uintptr_t)fn ^ jmpbuf_guard());
}

#endif
