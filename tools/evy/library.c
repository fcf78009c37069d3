/* Where this evy's library is, and how it gets into programs. */
#include "cmd.h"
#include "program.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *library_find(void)
{
    static const char *const places[] = {"libevy.so", "../lib/libevy.so.0",
                                         EVY_LIBDIR "/libevy.so.0"};
    char own[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    if (n < 0)
        die("/proc/self/exe: %s", strerror(errno));
    own[n] = '\0';
    *strrchr(own, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *path =
            *places[i] == '/' ? xformat("%s", places[i]) : xformat("%s/%s", own, places[i]);
        char *real = realpath(path, NULL);
        free(path);
        if (real)
            return real;
    }
    die("libevy.so is neither beside this program, nor in ../lib or " EVY_LIBDIR);
}

void library_preload(const char *library)
{
    if (strpbrk(library, " :"))
        die("%s: LD_PRELOAD cannot name a path with a blank or a colon", library);
    const char *others = getenv("LD_PRELOAD");
    variable_set("LD_PRELOAD", others && *others ? xformat("%s:%s", library, others) : library);
}
