#include "arch/context.h"

/* What context_switch leaves on the stack of a suspended context, see switch.S. */
struct frame {
    void *x[12]; /* x19..x30 */
    uint64_t d[8];
    uint64_t fpcr;
    uint64_t pad;
};

void context_entry(void); /* entry.S: calls x19(x20) */

void context_init(struct context *c, void *top, struct context_next (*fn)(void *), void *arg)
{
    struct frame *f = (struct frame *)align_down(top, 16) - 1;
    *f = (struct frame){.x = {[0] = (void *)fn, [1] = arg, [11] = (void *)context_entry}};
    /* POSIX: a thread inherits the floating point environment of its creator. */
    __asm__("mrs %0, fpcr" : "=r"(f->fpcr));
    c->sp = f;
}
