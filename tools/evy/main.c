#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evy.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"run", cmd_run, "run a program on green threads"},
    {"doctor", cmd_doctor, "say what libevy does for a program, and what it cannot"},
    {"ps", cmd_ps, "list the green threads of a running process"},
    {"bt", cmd_bt, "show where they are: backtraces"},
    {"top", cmd_top, "watch them"},
    {"trace", cmd_trace, "record what runs when"},
    {"bench", cmd_bench, "measure a program natively and under libevy"},
};

static void complain(const char *format, va_list args)
{
    fputs("evy: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(format, args);
    va_end(args);
}

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(format, args);
    exit(1);
}

void die_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(format, args);
    exit(2);
}

void *xalloc(size_t size)
{
    void *p = calloc(1, size);
    if (!p)
        die("out of memory");
    return p;
}

char *xformat(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        die("out of memory");
    va_end(args);
    return text;
}

void variable_set(const char *name, const char *value)
{
    if (setenv(name, value, 1) != 0)
        die("%s: %s", name, strerror(errno));
}

int process_id(const char *text)
{
    char *end;
    errno = 0;
    long id = strtol(text, &end, 10);
    if (errno || *end || id <= 0 || id > INT_MAX)
        die("%s is no process id", text);
    return (int)id;
}

static void help(FILE *out)
{
    fputs("usage: evy COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
    fputs("\nevy COMMAND --help tells more; evy --version prints the version.\n", out);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0) {
        puts("evy " EVY_VERSION);
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        help(stdout);
        return 0;
    }
    if (*name)
        die_usage("%s: no such command; evy --help lists them", name);
    help(stderr);
    return 2;
}
