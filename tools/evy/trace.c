/* evy trace: what each hub ran and when, as JSON that Perfetto and Chrome show. */
#include "cmd.h"
#include "events.h"
#include "program.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: evy trace [-o FILE] [--] PROGRAM [ARGUMENTS]\n"
    "\n"
    "Runs a program under libevy and records which green thread each hub runs, wake-ups and "
    "hand-offs, of the\n"
    "program and of the processes it makes. FILE (trace.json) opens in ui.perfetto.dev. A hub's "
    "buffer has\n"
    "room for about a million events; what does not fit is dropped and counted.\n"
    "\n"
    "The exit status is the program's, or 1 when it cannot be run, 2 for a wrong command line.\n";

static pid_t child;

static void pass_on(int sig)
{
    kill(child, sig);
}

/* The program is to end first, so that there is something to write. */
static int wait_for_child(void)
{
    int status;
    struct sigaction action = {.sa_handler = pass_on};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static _Noreturn void become(const char *path, char **argv, const char *prefix)
{
    variable_set("EVY_TRACE", prefix);
    library_preload(library_find());
    execv(path, argv);
    die("%s: %s", path, strerror(errno));
}

/* Writes all processes' events into one file, and removes theirs. */
static void collect(const char *dir, const char *output)
{
    glob_t raw;
    char *pattern = xformat("%s/raw.*", dir);
    FILE *json = fopen(output, "we");
    if (!json)
        die("%s: %s", output, strerror(errno));
    int r = glob(pattern, 0, NULL, &raw);
    struct event_totals totals = {0};
    events_begin(json);
    for (size_t i = 0; r == 0 && i < raw.gl_pathc; i++) {
        events_write(json, raw.gl_pathv[i], &totals);
        unlink(raw.gl_pathv[i]);
    }
    events_end(json);
    if (fclose(json) != 0)
        die("%s: %s", output, strerror(errno));
    if (r == 0)
        globfree(&raw);
    else
        warn("the program made no thread: %s is empty", output);
    if (totals.dropped)
        warn("%lu of %lu events did not fit and were dropped", totals.dropped, totals.seen);
    free(pattern);
    rmdir(dir);
}

int trace_run(const char *output, char **argv)
{
    char dir[] = "/tmp/evy-trace-XXXXXX";
    char *path = program_accept(argv[0], false);
    if (!mkdtemp(dir))
        die("%s: %s", dir, strerror(errno));
    child = fork();
    if (child < 0)
        die("fork: %s", strerror(errno));
    if (child == 0)
        become(path, argv, xformat("%s/raw", dir));
    int status = wait_for_child();
    collect(dir, output);
    return status;
}

int cmd_trace(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'}, OPTION_HELP, {0}};
    const char *output = "trace.json";
    while (next_option(argc, argv, "+ho:", options, help) != -1)
        output = optarg;
    if (optind == argc)
        die_usage("trace: no program named; evy trace --help tells more");
    return trace_run(output, argv + optind);
}
