/* Where a new context starts: rbx = fn, r12 = arg (context.c), rsp aligned to 16. It looks like the
 * caller of context_switch, and the undefined return address tells unwinders that nothing called it. */
        .text
        .type   context_entry_frame, @function
        .p2align 4
context_entry_frame:
        .cfi_startproc
        .cfi_undefined %rip
        nop                             /* unwinders look up return addresses minus one */
        .globl  context_entry
        .hidden context_entry
        .type   context_entry, @function
context_entry:
        endbr64
        mov     %r12, %rdi
        call    *%rbx                   /* rax: the context to continue, rdx: its thread pointer */
        mov     %rax, %rsi
        lea     -128(%rsp), %rdi        /* nobody will continue this one */
        sub     $8, %rsp                /* the return address of that call: as if this were one, too */
        jmp     context_switch
        .cfi_endproc
        .size   context_entry_frame, . - context_entry_frame
        .size   context_entry, . - context_entry

        .section .note.GNU-stack, "", @progbits
