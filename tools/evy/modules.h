/* The ELF files that make up a program or a running process. */
#ifndef EVY_MODULES_H
#define EVY_MODULES_H

#include "program.h"

#include <stdint.h>
#include <sys/types.h>

struct module {
    char *path;     /* of the file */
    uintptr_t low;  /* lowest address mapped from it; process only */
    uintptr_t high; /* end of the last mapping of it */
    bool system;    /* libc, the loader or libevy: what the others call */
};

struct modules {
    struct module *all;          /* the program first */
    size_t count;                /* of all */
    pid_t pid;                   /* the process; 0: of a program that does not run */
    const struct module *libevy; /* NULL: not there */
};

/* The program and the libraries its loader would load with it. Dies with one line when the loader refuses. */
void modules_of_program(struct modules *modules, const char *path);

/* The modules of a running process. Dies when there is none of that id or it may not be read. */
void modules_of_process(struct modules *modules, pid_t pid);

/* The same, but answers false and leaves errno where that dies. */
bool modules_try_process(struct modules *modules, pid_t pid);

/* For whoever knows the mappings otherwise: adds one, in order of address; at the end the library is looked for. */
void modules_add_mapping(struct modules *modules, const char *path, uintptr_t low, uintptr_t high);
void modules_find_libevy(struct modules *modules);

/* Calls fn with the name of each symbol the image wants from others. */
void modules_imports(const struct image *image, void (*fn)(const char *name, void *arg), void *arg);

struct raw_calls {
    unsigned count; /* places of the code that look like system calls without libc */
    unsigned uring; /* of these, those of io_uring */
};

struct raw_calls modules_raw_calls(const struct image *image);

/* How many of a module's references to hooked symbols do not lead to libevy; each is printed. */
unsigned modules_astray(const struct modules *modules, const struct module *module);

#endif
