#include "table.h"

#include "cmd.h"

#include <stdlib.h>
#include <string.h>

static void add(struct table *t, char *line)
{
    if ((t->count & (t->count + 1)) == 0) {
        t->lines = realloc(t->lines, (2 * t->count + 2) * sizeof *t->lines);
        if (!t->lines)
            die("out of memory");
    }
    t->lines[t->count++] = line;
}

static char *hub_line(const struct snapshot *s, unsigned i)
{
    const struct hub_info *h = &s->hubs[i];
    return xformat("hub %u: kernel thread %d, %s, %u green threads, %u switches", i, h->tid,
                   h->asleep ? "asleep"
                   : h->idle ? "idle"
                             : "busy",
                   h->live, h->switches);
}

static char *green_line(const struct snapshot *s, const struct process *p,
                        const struct green_info *g)
{
    char *wait = snapshot_wait(s, p, g);
    char *line = xformat("%8d  %-15s  %-7s  %3u%s%s", g->id, g->name, state_names[g->state], g->hub,
                         *wait ? "  " : "", wait);
    free(wait);
    return line;
}

static int by_name(const void *a, const void *b)
{
    const struct green_info *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int by_state(const void *a, const void *b)
{
    const struct green_info *x = a, *y = b;
    return (int)x->state - (int)y->state;
}

static int by_hub(const void *a, const void *b)
{
    const struct green_info *x = a, *y = b;
    return (int)x->hub - (int)y->hub;
}

/* Snapshots are ordered by id; glibc's qsort keeps that order among equals. */
static void order_by(struct snapshot *s, char order)
{
    if (order == 'n')
        qsort(s->greens, s->count, sizeof *s->greens, by_name);
    else if (order == 's')
        qsort(s->greens, s->count, sizeof *s->greens, by_state);
    else if (order == 'h')
        qsort(s->greens, s->count, sizeof *s->greens, by_hub);
}

void table_make(struct table *t, struct snapshot *s, const struct process *p, char order)
{
    *t = (struct table){0};
    if (!s->hub_count) {
        add(t, xformat("process %d has made no thread yet: it runs natively", p->pid));
        t->heads = t->count;
        return;
    }
    for (unsigned i = 0; i < s->hub_count; i++)
        add(t, hub_line(s, i));
    add(t, xformat("%8s  %-15s  %-7s  %s  %s", "ID", "NAME", "STATE", "HUB", "WAITS FOR"));
    t->heads = t->count;
    order_by(s, order);
    for (size_t i = 0; i < s->count; i++)
        add(t, green_line(s, p, &s->greens[i]));
}

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->lines[i]);
    free(t->lines);
}
