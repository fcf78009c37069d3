/* A function that is nothing but a jump to another, x86-64. */
#ifndef EVY_THUNK_H
#define EVY_THUNK_H

#define THUNK(alias, name)                                                                         \
    __asm__(".text\n.globl " #alias "\n.type " #alias ", @function\n" #alias ":\n\tjmp " #name     \
            "@PLT\n.size " #alias ", .-" #alias "\n");

#endif
