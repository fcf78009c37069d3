/* bool probe_byte(const void *at): whether the byte can be read. The handler of faults has one at probe_load go on at
 * probe_failed. */
        .text
        .globl  probe_byte, probe_load, probe_failed
        .hidden probe_byte, probe_load, probe_failed
        .type   probe_byte, %function
        .p2align 4
probe_byte:
        .cfi_startproc
        hint    #34                     /* bti c */
probe_load:
        ldrb    w1, [x0]
        mov     w0, #1
        ret
probe_failed:
        mov     w0, #0
        ret
        .cfi_endproc
        .size   probe_byte, . - probe_byte

        .section .note.GNU-stack, "", %progbits
