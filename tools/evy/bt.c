/* evy bt: backtraces of the green threads of a running process. */
#include "cmd.h"
#include "snapshot.h"
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] = "usage: evy bt PID [ID]\n"
                           "\n"
                           "Prints where each green thread of a process is, or the one that `evy "
                           "ps` lists as ID. Those that\n"
                           "wait are read from outside; one that runs is stopped for a moment.\n";

static void print_green(const struct snapshot *s, const struct process *p,
                        const struct green_info *g)
{
    char *wait = snapshot_wait(s, p, g);
    printf("%d %s: %s%s%s\n", g->id, g->name, state_names[g->state], *wait ? " for " : "", wait);
    free(wait);
    stack_print(s, p, g);
}

int cmd_bt(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc != 2 && argc != 3)
        die_usage("bt: a process id and perhaps a thread's, please; evy bt --help tells more");
    struct process p;
    struct snapshot s;
    process_open(&p, process_id(argv[1]));
    snapshot_take(&s, &p);
    const struct green_info *only = argc == 3 ? snapshot_find(&s, process_id(argv[2])) : NULL;
    if (argc == 3 && !only)
        die("process %d has no green thread %s", p.pid, argv[2]);
    for (size_t i = 0; i < s.count; i++)
        if (!only || only == &s.greens[i])
            print_green(&s, &p, &s.greens[i]);
    snapshot_free(&s);
    return 0;
}
