/* Memory of a process that runs under libevy, read from outside: it is neither stopped nor asked. */
#ifndef EVY_PROCESS_H
#define EVY_PROCESS_H

#include "api/description.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
    pid_t pid;                /* its id */
    struct evy_description d; /* as its library gives it, addresses made absolute */
};

/* Dies with one line when the process does not exist, may not be read, or does not run under a libevy that this
   evy knows. */
void process_open(struct process *p, pid_t pid);

/* Copies n bytes at address; false when they are not there. */
bool process_read(const struct process *p, uint64_t address, void *to, size_t n);

/* The integer or pointer at address; 0 when it cannot be read. */
uint64_t process_word(const struct process *p, uint64_t address, size_t size);

static inline uint64_t process_field(const struct process *p, uint64_t structure,
                                     struct evy_field field)
{
    return process_word(p, structure + field.offset, field.size);
}

#endif
