/* Relocations that leave the address of a symbol in a slot, aarch64 (ELF for the Arm 64-bit Architecture,
   "Dynamic relocations"). */
#ifndef EVY_RELOC_H
#define EVY_RELOC_H

#include <elf.h>

enum {
    RELOC_CALL = R_AARCH64_JUMP_SLOT,
    RELOC_GOT = R_AARCH64_GLOB_DAT,
    RELOC_DATA = R_AARCH64_ABS64
};

#endif
