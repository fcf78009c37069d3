/* The frame of a suspended context, x86-64. */
#ifndef EVY_FRAME_H
#define EVY_FRAME_H

/* What lies at the stack pointer of a suspended context (switch.S), for observers: {DWARF number, offset},
   the return address last. */
#define CONTEXT_STACK_POINTER 7
#define CONTEXT_FRAME 64
#define CONTEXT_REGISTERS                                                                          \
    {15, 8}, {14, 16}, {13, 24}, {12, 32}, {3, 40}, {6, 48},                                       \
    {                                                                                              \
        16, 56                                                                                     \
    }
#define CONTEXT_REGISTER_COUNT 7

#endif
