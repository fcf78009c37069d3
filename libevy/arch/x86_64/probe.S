/* bool probe_byte(const void *at): whether the byte can be read. The handler of faults has one at probe_load go on at
 * probe_failed. */
        .text
        .globl  probe_byte, probe_load, probe_failed
        .hidden probe_byte, probe_load, probe_failed
        .type   probe_byte, @function
        .p2align 4
probe_byte:
        .cfi_startproc
        endbr64
probe_load:
        movb    (%rdi), %al
        mov     $1, %eax
        ret
probe_failed:
        xor     %eax, %eax
        ret
        .cfi_endproc
        .size   probe_byte, . - probe_byte

        .section .note.GNU-stack, "", @progbits
