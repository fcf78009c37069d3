#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

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

void make_printable(char *text)
{
    mbstate_t state = {0};
    wchar_t c;
    for (size_t n; *text; text += n) {
        n = mbrtowc(&c, text, MB_CUR_MAX, &state);
        if (n <= MB_CUR_MAX && iswprint((wint_t)c))
            continue;
        state = (mbstate_t){0};
        *text = '?';
        n = 1;
    }
}

void variable_set(const char *name, const char *value)
{
    if (setenv(name, value, 1) != 0)
        die("%s: %s", name, strerror(errno));
}

int process_id(const char *text)
{
    errno = 0;
    long id = strtol(text, NULL, 10);
    if (errno || text[strspn(text, "0123456789")] || id <= 0 || id > INT_MAX)
        die("'%s' is no process id", text);
    return (int)id;
}

int next_option(int argc, char **argv, const char *letters, const struct option *options,
                const char *help)
{
    char *name = argv[0];
    argv[0] = xformat("evy: %s", name); /* how getopt_long begins its complaints */
    int option = getopt_long(argc, argv, letters, options, NULL);
    free(argv[0]);
    argv[0] = name;
    if (option == 'h')
        fputs(help, stdout);
    if (option == 'h' || option == '?')
        exit(option == 'h' ? 0 : 2);
    return option;
}

int arguments_begin(int argc, char **argv, const char *help)
{
    static const struct option options[] = {OPTION_HELP, {0}};
    next_option(argc, argv, "h", options, help);
    return optind;
}

static void help_all(FILE *out)
{
    fputs("usage: evy COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
    fputs("\nevy COMMAND --help (or evy help COMMAND) tells more; evy --version prints the "
          "version.\n",
          out);
}

static int run_command(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv);
    die_usage("%s: no such command; evy --help lists them", argv[0]);
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        help_all(stderr);
        return 2;
    }
    if (argc == 3 && strcmp(argv[1], "help") == 0)
        return run_command(2, (char *[]){argv[2], "--help", NULL});
    if (is_one_of(argv[1], "--version", "-V"))
        puts("evy " EVY_VERSION);
    else if (is_one_of(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0)
        help_all(stdout);
    else
        return run_command(argc - 1, argv + 1);
    return 0;
}
