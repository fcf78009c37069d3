/* The frame of a suspended context, aarch64. */
#ifndef EVY_FRAME_H
#define EVY_FRAME_H

/* What lies at the stack pointer of a suspended context (switch.S), for observers: {DWARF number, offset},
   where it goes on last. */
#define CONTEXT_STACK_POINTER 31
#define CONTEXT_FRAME 176
#define CONTEXT_REGISTERS                                                                          \
    {19, 0}, {20, 8}, {21, 16}, {22, 24}, {23, 32}, {24, 40}, {25, 48}, {26, 56}, {27, 64},        \
        {28, 72}, {29, 80},                                                                        \
    {                                                                                              \
        30, 88                                                                                     \
    }
#define CONTEXT_REGISTER_COUNT 12

#endif
