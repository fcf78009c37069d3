#include "api/debug.h"

#include "api/gt.h"
#include "base/log.h"
#include "core/hub.h"
#include "core/monitor.h"
#include "io/fdtab.h"
#include "real/real.h"

#include <evy/debug.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

atomic_bool debug_one_reader = true;

static atomic_bool exceptions;
static _Atomic int64_t resolution; /* of blocking detection in ns, 0: off */
static atomic_bool watching;       /* its kernel thread runs */

void debug_ended_with(const struct green *g, int err)
{
    if (exceptions)
        log_write(LOG_OFF, "green thread %p %s ended: %s", (void *)g, g->name,
                  strerrordesc_np(err));
}

EVY_API int evy_debug_hub_exceptions(int on)
{
    return atomic_exchange(&exceptions, on);
}

EVY_API int evy_debug_prevent_multiple_readers(int on)
{
    return atomic_exchange(&debug_one_reader, on);
}

/* The text of what fill writes. */
static char *text_of(void (*fill)(FILE *))
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    fill(f);
    fclose(f);
    return text;
}

#define SHOWN 64 /* waiters of one descriptor */

struct fd_lines {
    FILE *out;
    int dir;
};

static void write_fd(int fd, struct fd *s, void *arg)
{
    struct green *greens[SHOWN];
    const struct fd_lines *lines = arg;
    unsigned n = lot_waiters(&s->seq[lines->dir], greens, SHOWN);
    for (unsigned i = 0; i < n && i < SHOWN; i++)
        fprintf(lines->out, "  fd %d: %p %s\n", fd, (void *)greens[i],
                greens[i] ? greens[i]->name : "");
}

static void write_listeners(FILE *f)
{
    struct fd_lines readers = {f, FD_READ}, writers = {f, FD_WRITE};
    fputs("READERS:\n", f);
    fd_each(write_fd, &readers);
    fputs("WRITERS:\n", f);
    fd_each(write_fd, &writers);
}

static int by_time(const void *a, const void *b)
{
    const struct timer_slot *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void write_hub_timers(FILE *f, const struct hub *h)
{
    size_t n = h->timers.count;
    struct timer_slot *slots = malloc((n + 1) * sizeof *slots);
    if (!slots)
        return;
    memcpy(slots, h->timers.heap, n * sizeof *slots);
    qsort(slots, n, sizeof *slots, by_time);
    for (size_t i = 0; i < n; i++) {
        const struct green *g = container_of(slots[i].timer, struct green, timer);
        bool parked = !slots[i].timer->fire;
        fprintf(f, "  hub %u: in %.6f s %s %p %s\n", h->index,
                (double)(slots[i].at - clock_now()) / 1e9, parked ? "wakes" : "calls",
                parked ? (void *)g : (void *)slots[i].timer, parked ? g->name : "");
    }
    free(slots);
}

static void write_timers(FILE *f)
{
    fputs("TIMERS:\n", f);
    for (unsigned i = 0; i < hub_count; i++)
        write_hub_timers(f, &hubs[i]);
}

static const char *state_of(const struct green *g)
{
    if (gt_is(g, GT_DEAD))
        return "dead";
    if (!gt_is(g, GT_STARTED))
        return "not begun";
    return g == self() ? "runs" : "waits";
}

static void write_threads(FILE *f)
{
    for (unsigned i = 0; i < hub_count; i++)
        list_for_each (node, &hubs[i].lights.bodies) {
            const struct green *g = list_entry(node, struct green, siblings);
            if (!gt_is(g, GT_DEAD))
                fprintf(f, "hub %u: %p %s %s\n", i, (void *)g, g->name, state_of(g));
        }
}

EVY_API char *evy_debug_format_listeners(void)
{
    return text_of(write_listeners);
}

EVY_API char *evy_debug_format_timers(void)
{
    return text_of(write_timers);
}

EVY_API char *evy_debug_format_threads(void)
{
    return text_of(write_threads);
}

/* What a hub is held up by, since when. */
struct held_up {
    struct green *by;
    int64_t since;
    bool told;
};

/* Who computes has lost its hub to another carrier within some ten milliseconds: then it is astray. */
static void look_at(const struct hub *h, struct held_up *u, int64_t limit)
{
    struct green *g = __atomic_load_n(&h->astray, __ATOMIC_ACQUIRE);
    if (g != u->by)
        *u = (struct held_up){.by = g, .since = clock_now()};
    if (!g || u->told || clock_now() - u->since < limit)
        return;
    u->told = true;
    log_write(LOG_OFF, "green thread %p %s has not given way for %.3f s", (void *)g, g->name,
              (double)(clock_now() - u->since) / 1e9);
}

static void *watch(void *unused)
{
    static struct held_up held_up[MAX_HUBS];
    int64_t limit;
    while ((limit = resolution)) {
        struct timespec ts = ns_to_timespec(limit / 4);
        for (unsigned i = 0; i < hub_count; i++)
            look_at(&hubs[i], &held_up[i], limit);
        REAL(nanosleep)(&ts, NULL);
    }
    atomic_store(&watching, false);
    return unused;
}

EVY_API int evy_debug_blocking(double seconds)
{
    if (isnan(seconds))
        return api_edge(-EINVAL);
    seconds = seconds > 0 && seconds < 0.02 ? 0.02 : seconds;
    resolution = seconds <= 0 ? 0 : (int64_t)((seconds > 1e9 ? 1e9 : seconds) * 1e9);
    if (!resolution || atomic_exchange(&watching, true))
        return 0;
    if (!api_self() || kernel_thread(watch, NULL)) {
        atomic_store(&watching, false);
        return api_edge(-EAGAIN);
    }
    return 0;
}
