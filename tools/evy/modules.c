#include "modules.h"

#include "cmd.h"
#include "symbols.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_libevy(const char *path)
{
    const char *base = strrchr(path, '/');
    return strncmp(base ? base + 1 : path, "libevy.so", 9) == 0;
}

static bool is_system(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    return strncmp(base, "ld-linux", 8) == 0 || strncmp(base, "libc.so", 7) == 0 ||
           strncmp(base, "libpthread.so", 13) == 0 || is_libevy(path);
}

static struct module *add(struct modules *modules, const char *path)
{
    for (size_t i = 0; i < modules->count; i++)
        if (strcmp(modules->all[i].path, path) == 0)
            return &modules->all[i];
    modules->all = realloc(modules->all, (modules->count + 1) * sizeof *modules->all);
    if (!modules->all)
        die("out of memory");
    struct module *module = &modules->all[modules->count++];
    *module = (struct module){.path = xformat("%s", path), .system = is_system(path)};
    return module;
}

/* A path between quotes of the shell. */
static char *quoted(const char *path)
{
    char *text = xalloc(4 * strlen(path) + 3), *to = text;
    *to++ = '\'';
    for (; *path; path++)
        if (*path == '\'')
            to = stpcpy(to, "'\\''");
        else
            *to++ = *path;
    *to = '\'';
    return text;
}

/* The loader itself knows RUNPATH, hwcaps and ld.so.cache: it is asked, and runs nothing of the program. */
void modules_of_program(struct modules *modules, const char *path)
{
    *modules = (struct modules){0};
    add(modules, path);
    struct image image;
    if (!image_open(&image, path))
        die("%s: a damaged ELF file", path);
    char *real = realpath(path, NULL); /* as the kernel tells the loader, for $ORIGIN */
    char *program = quoted(real ? real : path);
    char *loader = quoted(image_interpreter(&image));
    char *command = xformat("env -u LD_PRELOAD %s --list %s 2>&1", loader, program);
    image_close(&image);
    FILE *list = popen(command, "re");
    if (!list)
        die("%s: %s", command, strerror(errno));
    char line[PATH_MAX + 256], last[sizeof line] = "";
    while (fgets(line, sizeof line, list)) {
        char found[PATH_MAX];
        strcpy(last, line + strspn(line, " \t"));
        last[strcspn(last, "\n")] = '\0';
        if (strstr(last, "not found"))
            die("%s: %s", path, last);
        if (sscanf(line, " %*s => %4095s (", found) == 1 || sscanf(line, " %4095s (", found) == 1)
            if (*found == '/')
                add(modules, found);
    }
    if (pclose(list) != 0)
        die("%s: its loader does not accept it: %s", path, last);
    free(command);
    free(loader);
    free(program);
    free(real);
}

void modules_add_mapping(struct modules *modules, const char *path, uintptr_t low, uintptr_t high)
{
    struct module *module = add(modules, path);
    module->low = module->low ? module->low : low;
    module->high = high;
}

void modules_find_libevy(struct modules *modules)
{
    for (size_t i = 0; i < modules->count; i++)
        if (is_libevy(modules->all[i].path))
            modules->libevy = &modules->all[i];
}

bool modules_try_process(struct modules *modules, pid_t pid)
{
    *modules = (struct modules){.pid = pid};
    char *name = xformat("/proc/%d/maps", pid);
    FILE *maps = fopen(name, "re");
    free(name);
    if (!maps)
        return false;
    char line[PATH_MAX + 256];
    errno = 0;
    while (fgets(line, sizeof line, maps)) {
        uintptr_t low, high;
        char path[PATH_MAX];
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %4095[^\n]", &low, &high, path) != 3 ||
            *path != '/')
            continue;
        modules_add_mapping(modules, path, low, high);
    }
    int err = errno ? errno : modules->count ? 0 : ESRCH;
    fclose(maps);
    modules_find_libevy(modules);
    errno = err;
    return err == 0;
}

void modules_of_process(struct modules *modules, pid_t pid)
{
    if (modules_try_process(modules, pid))
        return;
    if (errno == ENOENT)
        die("process %d: there is none", pid);
    if (errno == ESRCH)
        die("process %d has no program: a kernel thread, or one that has ended", pid);
    die("process %d: %s", pid, strerror(errno));
}
