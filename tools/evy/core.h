/* Core files as the memory of a process that was. */
#ifndef EVY_CORE_H
#define EVY_CORE_H

#include "modules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct core {
    const char *path;  /* borrowed */
    Elf *elf;          /* libelf's view of it */
    const char *bytes; /* all of it */
    size_t size;       /* bytes of it */
    pid_t pid;         /* of the process */
    char name[17];     /* of its program, as the kernel cuts it */
};

/* Dies with one line when the file is no core file. */
struct core *core_open(const char *path);

/* Copies n bytes that lay at address; false when the file does not have them. */
bool core_read(const struct core *core, uint64_t address, void *to, size_t n);

/* The files that were mapped; none when the kernel did not write them down. */
void core_modules(const struct core *core, struct modules *modules);

#endif
