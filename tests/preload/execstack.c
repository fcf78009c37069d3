// Proves: a library that wants to run code on stacks (trampolines of nested functions) may on those of all threads, older
// and newer ones than the library, and on one that is used again.
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>

enum { OLD = 4, NEW = 8, CODE = 64 };

static pthread_barrier_t loaded;

__attribute__((noinline)) static int seven(void)
{
    return 7;
}

/* Calls a copy of seven. */
static void run_on_stack(void)
{
    unsigned char code[CODE] __attribute__((aligned(CODE)));
    int (*copy)(void);
    void *at = code;
    memcpy(code, (const void *)(size_t)seven, sizeof code);
    __builtin___clear_cache((char *)code, (char *)code + sizeof code);
    memcpy(&copy, &at, sizeof copy);
    CHECK(copy() == 7);
}

static void *old_one(void *unused)
{
    pthread_barrier_wait(&loaded);
    run_on_stack();
    return unused;
}

static void *new_one(void *unused)
{
    run_on_stack();
    return unused;
}

static void *no_one(void *unused)
{
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t old[OLD], new[NEW];
    char path[PATH_MAX], name[PATH_MAX + 32];
    CHECK(argc == 1 && realpath(argv[0], path));
    CHECK(pthread_barrier_init(&loaded, NULL, OLD + 1) == 0);
    for (int i = 0; i < OLD; i++)
        old[i] = spawn(old_one, NULL);
    for (int i = 0; i < NEW / 2; i++)
        new[i] = spawn(no_one, NULL);
    for (int i = 0; i < NEW / 2; i++)
        CHECK(pthread_join(new[i], NULL) == 0);
    snprintf(name, sizeof name, "%s/lib/execstack.so", dirname(path));
    CHECK(dlopen(name, RTLD_NOW) != NULL);
    pthread_barrier_wait(&loaded);
    for (int i = 0; i < NEW; i++)
        new[i] = spawn(new_one, NULL);
    for (int i = 0; i < OLD; i++)
        CHECK(pthread_join(old[i], NULL) == 0);
    for (int i = 0; i < NEW; i++)
        CHECK(pthread_join(new[i], NULL) == 0);
    puts("code has run on every stack");
    return 0;
}
