/* What the dynamic section of a loaded object says. */
#ifndef EVY_ELF_H
#define EVY_ELF_H

#include "base/base.h"

#include <link.h>

/* The value of a tag, 0 when the object has none. */
size_t elf_value(const struct link_map *m, long tag);

/* The table that a tag points to, NULL when the object has none. */
const void *elf_table(const struct link_map *m, long tag);

/* Whether the object was linked with the library of that soname. */
bool elf_needs(const struct link_map *m, const char *soname);

/* The object's own soname, NULL when it has none. */
const char *elf_soname(const struct link_map *m);

/* Whether any loaded object was linked with the library of that soname. Allocates nothing, takes no lock. */
bool elf_anyone_needs(const char *soname);

/* Whether the program was made by Go's linker. Allocates nothing, takes no lock. */
bool elf_program_is_go(void);

/* Where the object lies in memory, and which of its pages the loader made read-only after relocating them
   (empty when from == to). */
struct elf_span {
    uintptr_t from, to;
};

struct elf_spans {
    struct elf_span all, relro;
};

struct elf_spans elf_spans_of(const struct link_map *m);

#endif
