/* vfork between two functions of C, x86-64. The child runs on its parent's stack: the return address must not lie
   there, and no frame of ours, when it starts. */
#ifndef EVY_VFORK_H
#define EVY_VFORK_H

/* Defines symbol, a string: void *before(void), then the system call; in the parent what before returned and the
   call's result or -errno go to pid_t after(void *, long), whose answer is the caller's. In the child 0. */
#define VFORK(symbol, before, after)                                                               \
    __asm__(".text\n.globl " symbol "\n.type " symbol ", @function\n" symbol ":\n"                 \
            "\t.cfi_startproc\n"                                                                   \
            "\tendbr64\n"                                                                          \
            "\tsub $8, %rsp\n"                                                                     \
            "\t.cfi_adjust_cfa_offset 8\n"                                                         \
            "\tcall " #before "\n"                                                                 \
            "\tadd $8, %rsp\n"                                                                     \
            "\t.cfi_adjust_cfa_offset -8\n"                                                        \
            "\tmov %rax, %rsi\n"                                                                   \
            "\tpop %rdi\n"                                                                         \
            "\t.cfi_adjust_cfa_offset -8\n"                                                        \
            "\t.cfi_register %rip, %rdi\n"                                                         \
            "\tmov $58, %eax\n" /* SYS_vfork */                                                    \
            "\tsyscall\n"                                                                          \
            "\tpush %rdi\n"                                                                        \
            "\t.cfi_adjust_cfa_offset 8\n"                                                         \
            "\t.cfi_rel_offset %rip, 0\n"                                                          \
            "\ttest %rax, %rax\n"                                                                  \
            "\tjz 1f\n"                                                                            \
            "\tmov %rsi, %rdi\n"                                                                   \
            "\tmov %rax, %rsi\n"                                                                   \
            "\tjmp " #after "\n"                                                                   \
            "1:\tret\n"                                                                            \
            "\t.cfi_endproc\n"                                                                     \
            ".size " symbol ", .-" symbol "\n")

#endif
