/* Where a longjmp leads, x86-64: glibc keeps the stack pointer mangled (sysdeps/x86_64/jmpbuf-offsets.h,
   sysdeps/unix/sysv/linux/x86_64/pointer_guard.h). */
#ifndef EVY_JMPBUF_H
#define EVY_JMPBUF_H

#include <setjmp.h>
#include <stdint.h>

enum { JB_RSP = 6, JB_PC = 7 };

static inline uintptr_t jmpbuf_guard(void)
{
    uintptr_t guard;
    __asm__("mov %%fs:0x30, %0" : "=r"(guard));
    return guard;
}

static inline uintptr_t jmpbuf_sp(const struct __jmp_buf_tag *env)
{
    uintptr_t sp = (uintptr_t)env->__jmpbuf[JB_RSP];
    return (sp >> 17 | sp << 47) ^ jmpbuf_guard();
}

static inline long jmpbuf_mangled(uintptr_t p)
{
    p ^= jmpbuf_guard();
    return (long)(p << 17 | p >> 47);
}

/* A longjmp to env shall call fn where env's frame ends. */
static inline void jmpbuf_redirect(struct __jmp_buf_tag *env, void (*fn)(void))
{
    env->__jmpbuf[JB_RSP] = jmpbuf_mangled((jmpbuf_sp(env) & ~(uintptr_t)15) - 8);
    env->__jmpbuf[JB_PC] = jmpbuf_mangled((uintptr_t)fn);
}

#endif
