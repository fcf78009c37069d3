/* void context_switch(struct context *from, const struct context *to, uintptr_t tp)
 *                     rdi                   rsi                       rdx
 *
 * A suspended context is a stack pointer with this frame above it (context.c builds the same one):
 *
 *    0  mxcsr (4), x87 control word (2)
 *    8  r15, r14, r13, r12, rbx, rbp
 *   56  return address
 *
 * Both stacks look alike at the moment rsp changes, so the unwind rules before and after are the same:
 * the caller is the one on whichever stack rsp points to.
 */
        .text
        .globl  context_switch
        .hidden context_switch
        .type   context_switch, @function
        .p2align 4
context_switch:
        .cfi_startproc
        endbr64
        push    %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        push    %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        push    %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        push    %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        push    %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        push    %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        sub     $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        mov     (%rsp), %eax            /* loads as wide as the stores: forwarded, no stall */
        movzwl  4(%rsp), %ecx
        mov     %rsp, (%rdi)
        test    %rdx, %rdx
        jz      1f
        wrfsbase %rdx
1:      mov     (%rsi), %rsp
        cmp     (%rsp), %eax
        jne     3f
        cmp     4(%rsp), %cx
        jne     4f
2:      add     $8, %rsp
        .cfi_remember_state
        .cfi_adjust_cfa_offset -8
        pop     %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        pop     %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        pop     %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        pop     %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        pop     %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        pop     %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        lea     context_entry(%rip), %rcx
        cmp     %rcx, (%rsp)
        je      5f
        ret     /* mispredicts once; a jump would leave the return stack off by one for all returns after */
5:      pop     %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        jmp     context_entry   /* and a return here: the caller's address stays for when the new one ends */
        .cfi_restore_state
3:      ldmxcsr (%rsp)
        cmp     4(%rsp), %cx
        je      2b
4:      fldcw   4(%rsp)
        jmp     2b
        .cfi_endproc
        .size   context_switch, . - context_switch

        /* No .note.gnu.property: a stack switch by mov breaks shadow stacks, and one object without
           the mark keeps them off for the whole library. */
        .section .note.GNU-stack, "", @progbits
