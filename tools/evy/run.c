#include "cmd.h"
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: evy run [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
    "\n"
    "Runs PROGRAM with libevy preloaded: its threads become green threads.\n"
    "\n"
    "  --hubs N        kernel threads that run green threads (EVY_HUBS)\n"
    "  --patch LIST    groups of calls that are green: all, socket,time, -dns (EVY_PATCH)\n"
    "  --stack SIZE    stack of threads that ask for no size, e.g. 64k (EVY_STACK)\n"
    "  --method NAME   libevent's backend: epoll, poll or select (EVY_HUB_METHOD)\n"
    "  --log LEVEL     off, error, warn, info or debug, perhaps with ,FILE (EVY_LOG)\n"
    "  --stats         says at the end what was done (EVY_STATS)\n"
    "  --trace FILE    records what runs when; the same as evy trace -o FILE\n"
    "  --force         also where libevy is known not to work\n"
    "\n"
    "The exit status is PROGRAM's, or 1 when it cannot be run, 2 for a wrong command line.\n";

enum { OPT_FORCE = 1, OPT_TRACE, OPT_STATS };

/* An option of this table is the environment variable of its place. */
static const char *const variables[] = {"EVY_HUBS", "EVY_PATCH", "EVY_STACK", "EVY_HUB_METHOD",
                                        "EVY_LOG"};
#define OPT_VARIABLE 1000

static const struct option options[] = {
    {"hubs", required_argument, NULL, OPT_VARIABLE + 0},
    {"patch", required_argument, NULL, OPT_VARIABLE + 1},
    {"stack", required_argument, NULL, OPT_VARIABLE + 2},
    {"method", required_argument, NULL, OPT_VARIABLE + 3},
    {"log", required_argument, NULL, OPT_VARIABLE + 4},
    {"force", no_argument, NULL, OPT_FORCE},
    {"stats", no_argument, NULL, OPT_STATS},
    {"trace", required_argument, NULL, OPT_TRACE},
    OPTION_HELP,
    {NULL, 0, NULL, 0},
};

int cmd_run(int argc, char **argv)
{
    bool force = false;
    const char *trace = NULL;
    int option;
    while ((option = next_option(argc, argv, "+h", options, help)) != -1) {
        if (option >= OPT_VARIABLE)
            variable_set(variables[option - OPT_VARIABLE], optarg);
        else if (option == OPT_FORCE)
            force = true;
        else if (option == OPT_STATS)
            variable_set("EVY_STATS", "1");
        else
            trace = optarg;
    }
    if (optind == argc)
        die_usage("run: no program named; evy run --help tells more");
    if (trace)
        return trace_run(trace, argv + optind);
    char *path = program_accept(argv[optind], force);
    library_preload(library_find());
    execv(path, argv + optind);
    die("%s: %s", path, strerror(errno));
}
