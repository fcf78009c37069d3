/* Memory of a process that runs under libevy, read from outside: it is neither stopped nor asked. Or that of one which
   has left a core file. */
#ifndef EVY_PROCESS_H
#define EVY_PROCESS_H

#include "api/description.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
    pid_t pid;                /* its id */
    char name[17];            /* what the kernel calls it */
    struct core *core;        /* NULL: it lives */
    struct page_cache *pages; /* of a living one: what has been read since process_look */
    struct evy_description d; /* as its library gives it, addresses made absolute */
};

/* what: a process id, or the path of a core file. Dies with one line when there is none, it may not be read, or it does
   not run under a libevy that this evy knows. */
void process_open(struct process *p, const char *what);

/* From here on memory is read anew. */
void process_look(struct process *p);

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
