#include "table.h"

#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_COLUMNS 15

static const char *const orders[] = {"id", "name", "state", "hub", "time", "cpu"};

char table_order(const char *command, const char *word)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strcmp(word, orders[i]) == 0 || (word[0] == orders[i][0] && !word[1]))
            return *orders[i];
    die_usage("%s: -s takes id, name, state, hub, time or cpu, not '%s'", command, word);
}

const char *table_order_name(char order)
{
    size_t i = 0;
    while (orders[i][0] != order)
        i++;
    return orders[i];
}

static char *hub_line(const struct snapshot *s, unsigned i)
{
    const struct hub_info *h = &s->hubs[i];
    return xformat(
        "hub %u: kernel thread %d, %s, %u green threads, %u switches, %u hand-offs, %u moved away",
        i, h->tid,
        h->asleep ? "asleep"
        : h->idle ? "idle"
                  : "busy",
        h->live, h->switches, h->hand_offs, h->moves);
}

/* A duration in at most seven columns. */
static const char *duration(char text[16], int64_t ns)
{
    long s = ns > 0 ? ns / 1000000000 : 0;
    if (s < 60)
        snprintf(text, 16, "%.3fs", ns > 0 ? (double)ns / 1e9 : 0);
    else if (s < 3600)
        snprintf(text, 16, "%ldm%02lds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, 16, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        snprintf(text, 16, "%ldd%02ldh", s / 86400, s / 3600 % 24);
    return text;
}

static int padded(const char *name)
{
    size_t columns = mbstowcs(NULL, name, 0);
    return columns == (size_t)-1 ? NAME_COLUMNS : NAME_COLUMNS + (int)(strlen(name) - columns);
}

static char *green_line(const struct table *t, const struct green_info *g)
{
    char time[16] = "", cpu[16] = "";
    char *wait = snapshot_wait(t->s, t->p, g);
    if (g->since)
        duration(time, t->s->now - g->since);
    if (t->s->has_cpu)
        duration(cpu, g->cpu);
    char *line = xformat("%8d  %-*s  %-7s  %3u  %7s  %*s%s%s", g->id, padded(g->name), g->name,
                         state_names[g->state], g->hub, time, t->s->has_cpu ? 7 : 0, cpu,
                         t->s->has_cpu ? "  " : "", wait);
    free(wait);
    line[strcspn(line, "\n")] = '\0';
    for (size_t n = strlen(line); n && line[n - 1] == ' ';)
        line[--n] = '\0';
    return line;
}

static char *head_line(const struct table *t)
{
    return xformat("%8s  %-15s  %-7s  %s  %7s  %s%s", "ID", "NAME", "STATE", "HUB", "TIME",
                   t->s->has_cpu ? "    CPU  " : "", "WAITS FOR");
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

/* The longest first; those without a time last. */
static int by_time(const void *a, const void *b)
{
    const struct green_info *x = a, *y = b;
    if (!x->since || !y->since)
        return !x->since - !y->since;
    return (x->since > y->since) - (x->since < y->since);
}

static int by_cpu(const void *a, const void *b)
{
    const struct green_info *x = a, *y = b;
    return (x->cpu < y->cpu) - (x->cpu > y->cpu);
}

/* Snapshots are ordered by id; glibc's qsort keeps that order among equals. */
static void order_by(struct snapshot *s, char order)
{
    int (*compare)(const void *, const void *) = order == 'n'   ? by_name
                                                 : order == 's' ? by_state
                                                 : order == 'h' ? by_hub
                                                 : order == 't' ? by_time
                                                 : order == 'c' ? by_cpu
                                                                : NULL;
    if (compare)
        qsort(s->greens, s->count, sizeof *s->greens, compare);
}

void table_make(struct table *t, struct snapshot *s, const struct process *p, char order)
{
    *t = (struct table){.s = s, .p = p, .heads = s->hub_count + 1, .count = s->hub_count + 1};
    if (s->hub_count)
        t->count += s->count;
    order_by(s, order);
}

char *table_line(const struct table *t, size_t i)
{
    if (!t->s->hub_count)
        return xformat("process %d has made no thread yet: it runs natively", t->p->pid);
    if (i < t->s->hub_count)
        return hub_line(t->s, (unsigned)i);
    return i < t->heads ? head_line(t) : green_line(t, &t->s->greens[i - t->heads]);
}

void table_print(const struct table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        char *line = table_line(t, i);
        puts(line);
        free(line);
    }
}
