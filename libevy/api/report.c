#include "api/report.h"

#include "api/gt.h"
#include "core/hub.h"
#include "core/light.h"
#include "io/fdtab.h"

#include <evy/hub.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE 128 /* most bytes that a line takes */
#define SPARE 64 /* lines for what is born while a report is made */

static int report_begin(struct report *r, size_t lines)
{
    *r = (struct report){.room = (lines + SPARE) * LINE};
    r->text = malloc(r->room);
    return r->text ? 0 : -ENOMEM;
}

EVY_PRINTF(2, 3) static void put(struct report *r, const char *format, ...)
{
    va_list ap;
    if (r->room - r->n < LINE)
        return;
    va_start(ap, format);
    int n = vsnprintf(r->text + r->n, LINE, format, ap);
    va_end(ap);
    r->n += n < LINE ? (size_t)n : LINE - 1;
}

/* Each hub tells about itself, on its own loop, where nothing of it changes meanwhile. */
struct inquiry {
    struct report *report;
    void (*tell)(struct report *r, struct hub *h);
    struct hub *hub;
    atomic_uint answered;
};

static void answer(void *arg)
{
    struct inquiry *q = arg;
    q->tell(q->report, q->hub);
    atomic_store(&q->answered, 1);
    lot_unpark(&q->answered, 1); /* the address alone: q may be gone */
}

/* Not to be interrupted: the hub writes into the report. */
static int ask_hub(struct report *r, struct hub *h, void (*tell)(struct report *, struct hub *))
{
    struct inquiry q = {.report = r, .tell = tell, .hub = h};
    if (evy_call_soon((evy_hub *)h, answer, &q))
        return -errno;
    while (!atomic_load(&q.answered))
        lot_park(&q.answered, 0, DEADLINE_NEVER, 0);
    return 0;
}

static int ask_all(struct report *r, size_t lines, void (*tell)(struct report *, struct hub *))
{
    int err = report_begin(r, lines);
    for (unsigned i = 0; i < hub_count && !err; i++)
        err = hubs[i].carrier ? ask_hub(r, &hubs[i], tell) : 0;
    return err;
}

static double seconds_to(deadline_t at)
{
    return (double)deadline_left(at) / 1e9;
}

static void put_thread(struct report *r, const struct green *g)
{
    const struct hub *h = g->hub;
    const char *kind = g->flags & GREEN_MAIN    ? "main"
                       : g->flags & GREEN_LIGHT ? "light"
                                                : "pthread";
    put(r, "thread %p hub %u %s ", (const void *)g, h->index, kind);
    if (atomic_load(&h->current) == g || atomic_load(&g->stranded))
        put(r, "running");
    else if (g->wake != WAKE_PARKED)
        put(r, "ready");
    else if (g->timer.index)
        put(r, "waiting %.3f", seconds_to(g->timer.at));
    else
        put(r, "waiting");
    put(r, g->name[0] ? " %s\n" : "\n", g->name);
}

struct pthreads {
    struct report *report;
    const struct hub *hub;
};

static bool put_pthread(struct green *g, void *arg)
{
    struct pthreads *p = arg;
    if (g->hub == p->hub && !gt_is(g, THREAD_DONE))
        put_thread(p->report, g);
    return true;
}

static void tell_threads(struct report *r, struct hub *h)
{
    if (h->index == main_green.hub->index)
        put_thread(r, &main_green);
    list_for_each (node, &h->lights.bodies) {
        const struct green *g = list_entry(node, struct green, siblings);
        if (!gt_is(g, GT_ENDED | GT_DEAD))
            put_thread(r, g);
    }
    green_each(put_pthread, &(struct pthreads){r, h});
}

static void tell_hub(struct report *r, struct hub *h)
{
    unsigned threads = atomic_load(&h->born) + atomic_load(&h->adopted) - atomic_load(&h->ended);
    put(r, "hub %u threads %u switches %u timers %zu watches %u\n", h->index, threads,
        atomic_load(&h->switches), h->timers.count, h->watches);
}

static void tell_timers(struct report *r, struct hub *h)
{
    for (size_t i = 0; i < h->timers.count; i++) {
        const struct timer *t = h->timers.heap[i].timer;
        put(r, "timer hub %u in %.3f ", h->index, seconds_to(t->at));
        if (t->fire)
            put(r, "callback\n");
        else
            put(r, "thread %p\n", (const void *)container_of(t, const struct green, timer));
    }
}

/* An upper bound of living green threads, and of their timers. */
static size_t about_threads(void)
{
    size_t n = 1;
    for (unsigned i = 0; i < hub_count; i++)
        n += atomic_load(&hubs[i].born) + atomic_load(&hubs[i].adopted) -
             atomic_load(&hubs[i].ended);
    return n;
}

static size_t about_timers(void)
{
    size_t n = 0;
    for (unsigned i = 0; i < hub_count; i++)
        n += hubs[i].timers.count;
    return n;
}

int report_threads(struct report *r)
{
    return ask_all(r, about_threads(), tell_threads);
}

int report_hubs(struct report *r)
{
    return ask_all(r, hub_count, tell_hub);
}

int report_timers(struct report *r)
{
    return ask_all(r, about_timers(), tell_timers);
}

static void count_fd(int fd, struct fd *s, void *arg)
{
    (void)fd, (void)s;
    ++*(size_t *)arg;
}

static void put_fd(int fd, struct fd *s, void *report)
{
    static const char *const kinds[] = {"unknown", "file", "tcp", "stream", "socket", "other"};
    if (fd_has(s, FD_PRIVATE))
        return;
    object_lock(&s->lock);
    const struct hub *h = atomic_load(&s->watch) ? s->watch_hub : NULL;
    object_unlock(&s->lock);
    put(report, "fd %d %s%s", fd, kinds[fd_kind(s)],
        fd_has(s, FD_USER_NONBLOCK) ? " nonblock" : "");
    if (h)
        put(report, " hub %u", h->index);
    put(report, "\n");
}

int report_fds(struct report *r)
{
    size_t used = 0;
    fd_each(count_fd, &used);
    int err = report_begin(r, used);
    if (!err)
        fd_each(put_fd, r);
    return err;
}
