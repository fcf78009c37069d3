/* Where a new context starts: x19 = fn, x20 = arg (context.c), sp aligned to 16. It looks like the
 * caller of context_switch, and the undefined return address tells unwinders that nothing called it. */
        .text
        .type   context_entry_frame, %function
        .p2align 4
context_entry_frame:
        .cfi_startproc
        .cfi_undefined x30
        nop                             /* unwinders look up return addresses minus one */
        .globl  context_entry
        .hidden context_entry
        .type   context_entry, %function
context_entry:
        hint    #36                     /* bti j */
        mov     x0, x20
        blr     x19                     /* x0: the context to continue, x1: its thread pointer */
        mov     x2, x1
        mov     x1, x0
        sub     x0, sp, #512            /* nobody will continue this one */
        b       context_switch
        .cfi_endproc
        .size   context_entry_frame, . - context_entry_frame
        .size   context_entry, . - context_entry

        .section .note.GNU-stack, "", %progbits
