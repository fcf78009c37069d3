/* void call_on(void *top, void (*fn)(void *), void *arg)
 *              rdi        rsi                 rdx
 *
 * rbp, which fn preserves, says where the caller's stack goes on: so unwinders pass from one stack to the other.
 */
        .text
        .globl  call_on
        .hidden call_on
        .type   call_on, @function
        .p2align 4
call_on:
        .cfi_startproc
        endbr64
        push    %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        .cfi_def_cfa_register %rbp
        mov     %rdi, %rsp
        and     $-16, %rsp
        mov     %rdx, %rdi
        call    *%rsi
        leave
        .cfi_def_cfa %rsp, 8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   call_on, . - call_on

        .section .note.GNU-stack, "", @progbits
