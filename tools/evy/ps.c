/* evy ps: the green threads of a running process. */
#include "cmd.h"
#include "table.h"

#include <stdio.h>

static const char help[] =
    "usage: evy ps [-s ORDER] PID | CORE\n"
    "\n"
    "Lists the green threads of a process that runs under libevy, also one that hangs: it is read "
    "from\n"
    "outside and neither stopped nor asked. Or of one that has left a core file.\n"
    "\n"
    "  -s, --sort ORDER   by id (the default), name, state, hub, time or cpu\n"
    "\n"
    "  STATE  running  on the kernel thread of its hub\n"
    "         alone    on a kernel thread of its own: it computes, or blocks unseen\n"
    "         ready    could run\n"
    "         waiting  for what the last column says\n"
    "  TIME   for how long it has been waiting, or alone\n"
    "  CPU    what it has used, where the process runs with EVY_STATS=1\n";

int cmd_ps(int argc, char **argv)
{
    static const struct option options[] = {
        {"sort", required_argument, NULL, 's'}, OPTION_HELP, {0}};
    char order = 'i';
    while (next_option(argc, argv, "hs:", options, help) != -1)
        order = table_order("ps", optarg);
    if (optind + 1 != argc)
        die_usage("ps: one process id or core file, please; evy ps --help tells more");
    struct process p;
    struct snapshot s;
    struct table t;
    process_open(&p, argv[optind]);
    snapshot_take(&s, &p);
    table_make(&t, &s, &p, order);
    table_print(&t);
    snapshot_free(&s);
    return 0;
}
