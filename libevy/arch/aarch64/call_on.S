/* void call_on(void *top, void (*fn)(void *), void *arg)
 *              x0         x1                  x2
 *
 * x29, which fn preserves, says where the caller's stack goes on: so unwinders pass from one stack to the other.
 */
        .text
        .globl  call_on
        .hidden call_on
        .type   call_on, %function
        .p2align 4
call_on:
        .cfi_startproc
        hint    #34                     /* bti c */
        stp     x29, x30, [sp, #-16]!
        .cfi_def_cfa_offset 16
        .cfi_offset x29, -16
        .cfi_offset x30, -8
        mov     x29, sp
        .cfi_def_cfa_register x29
        and     x0, x0, #-16
        mov     sp, x0
        mov     x0, x2
        blr     x1
        mov     sp, x29
        .cfi_def_cfa_register sp
        ldp     x29, x30, [sp], #16
        .cfi_def_cfa_offset 0
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   call_on, . - call_on

        .section .note.GNU-stack, "", %progbits
