/* vfork between two functions of C, AArch64. The child runs on its parent's stack: no frame of ours may lie there
   when it starts. */
#ifndef EVY_VFORK_H
#define EVY_VFORK_H

/* Defines symbol, a string: void *before(void), then the system call; in the parent what before returned and the
   call's result or -errno go to pid_t after(void *, long), whose answer is the caller's. In the child 0. */
#define VFORK(symbol, before, after)                                                               \
    __asm__(".text\n.globl " symbol "\n.type " symbol ", %function\n" symbol ":\n"                 \
            "\t.cfi_startproc\n"                                                                   \
            "\thint #34\n" /* bti c */                                                             \
            "\tstp x29, x30, [sp, #-16]!\n"                                                        \
            "\t.cfi_adjust_cfa_offset 16\n"                                                        \
            "\t.cfi_rel_offset x30, 8\n"                                                           \
            "\tbl " #before "\n"                                                                   \
            "\tldp x29, x30, [sp], #16\n"                                                          \
            "\t.cfi_adjust_cfa_offset -16\n"                                                       \
            "\t.cfi_restore x30\n"                                                                 \
            "\tmov x9, x0\n"                                                                       \
            "\tmov x0, #0x4111\n" /* CLONE_VFORK | CLONE_VM | SIGCHLD */                           \
            "\tmov x1, #0\n"                                                                       \
            "\tmov x8, #220\n" /* SYS_clone */                                                     \
            "\tsvc #0\n"                                                                           \
            "\tcbz x0, 1f\n"                                                                       \
            "\tmov x1, x0\n"                                                                       \
            "\tmov x0, x9\n"                                                                       \
            "\tb " #after "\n"                                                                     \
            "1:\tret\n"                                                                            \
            "\t.cfi_endproc\n"                                                                     \
            ".size " symbol ", .-" symbol "\n")

#endif
