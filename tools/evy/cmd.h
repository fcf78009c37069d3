/* The subcommands of evy and what they share. */
#ifndef EVY_CMD_H
#define EVY_CMD_H

#include <getopt.h>
#include <stddef.h>

/* One line on stderr, "evy: ...", and exit status 1 (2 for die_usage: the command line is wrong). */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* malloc and friends that cannot fail. */
void *xalloc(size_t size);
char *xformat(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What would act on a terminal, or could pass for a line of ours, becomes '?'. */
void make_printable(char *text);

/* setenv that cannot fail. */
void variable_set(const char *name, const char *value);

/* The process id that the text is; dies when it is none. */
int process_id(const char *text);

/* The next option, by its letter or value, -1 after the last. Ends the program after help, or a line about an option that
   the command does not have. letters begin with "h", perhaps behind a "+"; options have OPTION_HELP. */
int next_option(int argc, char **argv, const char *letters, const struct option *options,
                const char *help);
#define OPTION_HELP                                                                                \
    {                                                                                              \
        "help", no_argument, NULL, 'h'                                                             \
    }

/* For a command whose only option is --help: returns the index of its first argument. */
int arguments_begin(int argc, char **argv, const char *help);

/* argv[0] is the subcommand's name. Each returns the exit status. */
int cmd_run(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_bt(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_top(int argc, char **argv);

/* Runs a program and writes its trace; the exit status is the program's. */
int trace_run(const char *output, char **argv);

#endif
