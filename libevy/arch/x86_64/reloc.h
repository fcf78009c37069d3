/* Relocations that leave the address of a symbol in a slot, x86-64 (System V psABI, "Relocation Types"). */
#ifndef EVY_RELOC_H
#define EVY_RELOC_H

#include <elf.h>

enum { RELOC_CALL = R_X86_64_JUMP_SLOT, RELOC_GOT = R_X86_64_GLOB_DAT, RELOC_DATA = R_X86_64_64 };

#endif
