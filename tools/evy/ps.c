/* evy ps: the green threads of a running process. */
#include "cmd.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: evy ps PID\n"
    "\n"
    "Lists the green threads of a process that runs under libevy, also one that hangs: it is read "
    "from\n"
    "outside and neither stopped nor asked.\n"
    "\n"
    "  STATE  running  on the kernel thread of its hub\n"
    "         alone    on a kernel thread of its own: it computes, or blocks unseen\n"
    "         ready    could run\n"
    "         waiting  for what the last column says\n";

int cmd_ps(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc != 2)
        die_usage("ps: one process id, please; evy ps --help tells more");
    struct process p;
    struct snapshot s;
    struct table t;
    process_open(&p, process_id(argv[1]));
    snapshot_take(&s, &p);
    table_make(&t, &s, &p, 'i');
    for (size_t i = 0; i < t.count; i++)
        puts(t.lines[i]);
    table_free(&t);
    snapshot_free(&s);
    return 0;
}
