#include "arch/context.h"

/* What context_switch leaves on the stack of a suspended context, see switch.S. */
struct frame {
    uint32_t mxcsr;
    uint16_t x87cw;
    uint16_t pad;
    void *r15, *r14, *r13, *r12, *rbx, *rbp;
    void (*pc)(void);
};

void context_entry(void); /* entry.S: calls rbx(r12) */

void context_init(struct context *c, void *top, struct context_next (*fn)(void *), void *arg)
{
    struct frame *f = (struct frame *)align_down(top, 16) - 1;
    *f = (struct frame){.r12 = arg, .rbx = (void *)fn, .pc = context_entry};
    /* POSIX: a thread inherits the floating point environment of its creator. */
    __asm__("stmxcsr %0" : "=m"(f->mxcsr));
    __asm__("fnstcw %0" : "=m"(f->x87cw));
    c->sp = f;
}
