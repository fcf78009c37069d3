#include "program.h"

#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A script may name a script as its interpreter; the kernel follows as many. */
#define SCRIPT_DEPTH 5

/* Why the file cannot be run, NULL when it can. */
static const char *not_runnable(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return strerror(errno);
    if (S_ISDIR(st.st_mode))
        return "is a directory";
    if (access(path, X_OK) != 0)
        return strerror(errno);
    return S_ISREG(st.st_mode) ? NULL : "is no regular file"; /* reading it might never end */
}

/* Sets *path, from malloc, to the program that the name means, or returns why there is none. */
static const char *look_up(const char *name, char **path)
{
    if (strchr(name, '/')) {
        *path = xformat("%s", name);
        return not_runnable(name);
    }
    const char *dirs = getenv("PATH");
    dirs = dirs ? dirs : "/usr/local/bin:/usr/bin:/bin";
    for (size_t n; *dirs; dirs += n + (dirs[n] == ':')) {
        n = strcspn(dirs, ":");
        *path = xformat("%.*s/%s", n ? (int)n : 1, n ? dirs : ".", name);
        if (*name && !not_runnable(*path))
            return NULL;
        free(*path);
    }
    return "not found in PATH";
}

char *program_find(const char *name)
{
    char *path;
    const char *why = look_up(name, &path);
    if (why)
        die("%s: %s", *name ? name : "''", why);
    return path;
}

/* The interpreter that the first line of a script names, and its argument (NULL: none), cut out of `line`. */
static char *interpreter_of(char *line, char **argument)
{
    char *save;
    char *interpreter = strtok_r(line + 2, " \t\n", &save);
    *argument = strtok_r(NULL, "\n", &save);
    return interpreter;
}

/* `env [-S] [NAME=VALUE] PROGRAM ...` runs PROGRAM. */
static char *through_env(char *argument)
{
    char *save;
    char *word = argument ? strtok_r(argument, " \t", &save) : NULL;
    while (word && (*word == '-' || strchr(word, '=')))
        word = strtok_r(NULL, " \t", &save);
    return word;
}

char *program_image(const char *path)
{
    char *at = xformat("%s", path);
    for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
        char line[PATH_MAX] = "";
        FILE *file = fopen(at, "re");
        if (!file)
            die("%s: %s", at, strerror(errno));
        size_t n = fread(line, 1, sizeof line - 1, file);
        fclose(file);
        if (n >= 4 && memcmp(line, ELFMAG, SELFMAG) == 0)
            return at;
        if (memcmp(line, "#!", 2) != 0)
            die("%s: neither an ELF program nor a script with #!", at);
        line[strcspn(line, "\n")] = '\0';
        char *argument;
        char *interpreter = interpreter_of(line, &argument);
        const char *slash = interpreter ? strrchr(interpreter, '/') : NULL;
        if (slash && strcmp(slash, "/env") == 0)
            interpreter = through_env(argument);
        if (!interpreter)
            die("%s: its first line names no interpreter", at);
        char *next;
        const char *why = look_up(interpreter, &next);
        if (why)
            die("%s: its interpreter %s: %s", at, interpreter, why);
        free(at);
        at = next;
    }
    die("%s: too many interpreters, each of which is a script", path);
}

/* The loader drops LD_PRELOAD when the ids change, or with file capabilities. */
static const char *privileges_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return NULL;
    if (st.st_mode & S_ISUID && st.st_uid != getuid())
        return "is setuid";
    if (st.st_mode & S_ISGID && st.st_mode & S_IXGRP && st.st_gid != getgid())
        return "is setgid";
    if (getxattr(path, "security.capability", NULL, 0) > 0 && getuid() != 0)
        return "has file capabilities";
    return NULL;
}

static const char *machine_name(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {{EM_X86_64, "x86-64"},  {EM_AARCH64, "aarch64"}, {EM_386, "32-bit x86"},
                 {EM_ARM, "32-bit ARM"}, {EM_RISCV, "RISC-V"},    {EM_PPC64, "POWER"},
                 {EM_S390, "S/390"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].machine == machine)
            return names[i].name;
    return "another architecture";
}

static char *refuse_image(const struct image *program, const struct image *library)
{
    GElf_Shdr header;
    if (program->header.e_machine != library->header.e_machine ||
        program->header.e_ident[EI_CLASS] != library->header.e_ident[EI_CLASS])
        return xformat("is made for %s, this libevy for %s",
                       machine_name(program->header.e_machine),
                       machine_name(library->header.e_machine));
    const char *interpreter = image_interpreter(program);
    if (program->header.e_type != ET_EXEC && program->header.e_type != ET_DYN)
        return xformat("is no program but an object or core file");
    if (!interpreter && program->header.e_type == ET_DYN && !image_is_pie(program))
        return xformat("is no program but a shared library");
    if (!interpreter)
        return xformat("is statically linked: there is no loader that could preload libevy");
    if (strstr(interpreter, "musl"))
        return xformat("is linked with musl; libevy needs the GNU C library");
    if (!strstr(interpreter, "/ld-linux"))
        return xformat("has the loader %s, not that of the GNU C library", interpreter);
    if (image_section(program, 0, ".note.go.buildid", &header) ||
        image_section(program, 0, ".go.buildinfo", &header))
        return xformat("is a Go program: it makes system calls of its own, past libevy");
    return NULL;
}

char *program_refusal(const char *path, const char *library)
{
    const char *privileges = privileges_of(path);
    if (privileges)
        return xformat("%s: the loader ignores LD_PRELOAD for it", privileges);
    struct image program, own;
    if (!image_open(&program, path))
        return xformat("is a damaged ELF file");
    if (!image_open(&own, library))
        die("%s: not a readable library", library);
    char *why = refuse_image(&program, &own);
    image_close(&own);
    image_close(&program);
    return why;
}

char *program_accept(const char *name, bool force)
{
    char *path = program_find(name);
    char *image = program_image(path);
    char *why = program_refusal(image, library_find());
    if (why && !force)
        die("%s %s", image, why);
    if (why)
        warn("%s %s; running it all the same", image, why);
    free(why);
    free(image);
    return path;
}
