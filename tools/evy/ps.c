/* evy ps: the green threads of a running process. */
#include "cmd.h"
#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
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

static void print_hubs(const struct snapshot *s)
{
    for (unsigned i = 0; i < s->hub_count; i++) {
        const struct hub_info *h = &s->hubs[i];
        printf("hub %u: kernel thread %d, %s, %u green threads, %u switches\n", i, h->tid,
               h->asleep ? "asleep"
               : h->idle ? "idle"
                         : "busy",
               h->live, h->switches);
    }
}

static void print_green(const struct snapshot *s, const struct process *p,
                        const struct green_info *g)
{
    char *wait = snapshot_wait(s, p, g);
    printf("%8d  %-15s  %-7s  %3u%s%s\n", g->id, g->name, state_names[g->state], g->hub,
           *wait ? "  " : "", wait);
    free(wait);
}

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
    process_open(&p, process_id(argv[1]));
    snapshot_take(&s, &p);
    if (!s.hub_count) {
        printf("process %d has made no thread yet: it runs natively\n", p.pid);
        return 0;
    }
    print_hubs(&s);
    printf("%8s  %-15s  %-7s  %s  %s\n", "ID", "NAME", "STATE", "HUB", "WAITS FOR");
    for (size_t i = 0; i < s.count; i++)
        print_green(&s, &p, &s.greens[i]);
    snapshot_free(&s);
    return 0;
}
