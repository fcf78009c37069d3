/* void context_switch(struct context *from, const struct context *to, uintptr_t tp)
 *                     x0                    x1                        x2
 *
 * A suspended context is a stack pointer with this frame above it (context.c builds the same one):
 *
 *    0  x19 .. x28, x29 (frame pointer), x30 (where it goes on)
 *   96  d8 .. d15
 *  160  fpcr
 *
 * Both stacks look alike at the moment sp changes, so the unwind rules before and after are the same:
 * the caller is the one on whichever stack sp points to.
 */
#define FRAME 176

        .macro save_pair a, b, at
        stp     \a, \b, [sp, #\at]
        .cfi_rel_offset \a, \at
        .cfi_rel_offset \b, \at + 8
        .endm

        .macro load_pair a, b, at
        ldp     \a, \b, [sp, #\at]
        .cfi_restore \a
        .cfi_restore \b
        .endm

        .text
        .globl  context_switch
        .hidden context_switch
        .type   context_switch, %function
        .p2align 4
context_switch:
        .cfi_startproc
        hint    #34                     /* bti c */
        sub     sp, sp, #FRAME
        .cfi_adjust_cfa_offset FRAME
        save_pair x19, x20, 0
        save_pair x21, x22, 16
        save_pair x23, x24, 32
        save_pair x25, x26, 48
        save_pair x27, x28, 64
        save_pair x29, x30, 80
        save_pair d8, d9, 96
        save_pair d10, d11, 112
        save_pair d12, d13, 128
        save_pair d14, d15, 144
        mrs     x3, fpcr
        str     x3, [sp, #160]
        mov     x4, sp
        str     x4, [x0]
        cbz     x2, 1f
        msr     tpidr_el0, x2
1:      ldr     x4, [x1]
        mov     sp, x4
        ldr     x4, [sp, #160]
        cmp     x3, x4
        b.eq    2f
        msr     fpcr, x4                /* slow, and hardly ever needed */
2:      load_pair d8, d9, 96
        load_pair d10, d11, 112
        load_pair d12, d13, 128
        load_pair d14, d15, 144
        load_pair x19, x20, 0
        load_pair x21, x22, 16
        load_pair x23, x24, 32
        load_pair x25, x26, 48
        load_pair x27, x28, 64
        load_pair x29, x30, 80
        add     sp, sp, #FRAME
        .cfi_adjust_cfa_offset -FRAME
        br      x30                     /* ret would be predicted to return to our caller */
        .cfi_endproc
        .size   context_switch, . - context_switch

        .section .note.GNU-stack, "", %progbits
