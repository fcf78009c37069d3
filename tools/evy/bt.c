/* evy bt: backtraces of the green threads of a running process. */
#include "cmd.h"
#include "snapshot.h"
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] = "usage: evy bt PID | CORE [ID]\n"
                           "\n"
                           "Prints where each green thread of a process is, or the one that `evy "
                           "ps` lists as ID. Those that\n"
                           "wait are read from outside; one that runs is stopped for a moment.\n";

static void print_green(struct snapshot *s, const struct process *p, struct stacks *stacks,
                        const struct green_info *g)
{
    char *wait = snapshot_wait(s, p, g);
    printf("%d %s: %s%s%s\n", g->id, g->name, state_names[g->state], *wait ? " for " : "", wait);
    free(wait);
    stacks_print(stacks, g);
}

int cmd_bt(int argc, char **argv)
{
    int first = arguments_begin(argc, argv, help);
    const char *id = first + 2 == argc ? argv[first + 1] : NULL;
    if (first + 1 != argc && !id)
        die_usage("bt: a process id or core file, and perhaps a thread's id, please; evy bt --help "
                  "tells more");
    struct process p;
    struct snapshot s;
    process_open(&p, argv[first]);
    snapshot_take(&s, &p);
    if (!s.hub_count)
        printf("process %d has made no thread yet: it runs natively\n", p.pid);
    const struct green_info *only = id ? snapshot_find(&s, id) : NULL;
    if (id && !only)
        die("process %d has no green thread %s", p.pid, id);
    struct stacks *stacks = stacks_open(&s, &p);
    for (size_t i = 0; i < s.count; i++)
        if (!only || only == &s.greens[i])
            print_green(&s, &p, stacks, &s.greens[i]);
    stacks_close(stacks);
    snapshot_free(&s);
    return 0;
}
