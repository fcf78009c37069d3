#include "snapshot.h"

#include "cmd.h"
#include "core/lot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the runtime's enums say (core/green.h, core/carrier.h, sync/thread.h). */
enum { PARKED = 1, STRANDED = 2, THREAD_DONE = 1, GREEN_LIGHT = 128 };

/* A list that changes while it is read may seem endless. */
#define LIST_MOST 4000000

const char *const state_names[] = {"running", "alone", "ready", "waiting"};

static void take_hubs(struct snapshot *s, const struct process *p)
{
    s->hub_count = (unsigned)process_word(p, p->d.hub_count, 4);
    s->hubs = xalloc((s->hub_count + 1) * sizeof *s->hubs);
    for (unsigned i = 0; i < s->hub_count; i++) {
        uint64_t hub = p->d.hubs + (uint64_t)i * p->d.hub_size;
        uint64_t carrier = process_field(p, hub, p->d.hub_carrier);
        struct hub_info *h = &s->hubs[i];
        h->tid = (int)process_field(p, carrier, p->d.carrier_tid);
        h->asleep = process_field(p, hub, p->d.hub_asleep);
        h->current = process_field(p, hub, p->d.hub_current);
        h->idle = h->current == hub + p->d.hub_loop.offset;
        h->switches = (unsigned)process_field(p, hub, p->d.hub_switches);
    }
}

static enum green_state state_of(const struct snapshot *s, const struct process *p,
                                 const struct green_info *g)
{
    if (process_field(p, g->address, p->d.green_stranded) == STRANDED)
        return GREEN_ALONE;
    if (g->hub < s->hub_count && s->hubs[g->hub].current == g->address)
        return GREEN_RUNNING;
    return process_field(p, g->address, p->d.green_wake) == PARKED ? GREEN_WAITING : GREEN_READY;
}

static void process_name(const struct process *p, char name[17])
{
    char *path = xformat("/proc/%d/comm", p->pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(name, 17, file))
        name[strcspn(name, "\n")] = '\0';
    if (file)
        fclose(file);
    free(path);
}

/* As the library's green_id. */
static int id_of(const struct process *p, uint64_t green)
{
    if (process_field(p, green, p->d.green_flags) & GREEN_LIGHT)
        return (int)(green >> 12 & 0x7fffffff);
    uint64_t thread = process_field(p, green, p->d.green_thread);
    return (int)process_word(p, thread + process_word(p, p->d.tid_offset, 8), 4);
}

static void take_green(struct snapshot *s, const struct process *p, uint64_t address)
{
    if ((s->count & (s->count + 1)) == 0) {
        s->greens = realloc(s->greens, (2 * s->count + 2) * sizeof *s->greens);
        if (!s->greens)
            die("out of memory");
    }
    struct green_info *g = &s->greens[s->count];
    *g = (struct green_info){.address = address};
    g->id = id_of(p, address);
    uint64_t hub = process_field(p, address, p->d.green_hub);
    g->hub = (unsigned)((hub - p->d.hubs) / p->d.hub_size);
    process_read(p, address + p->d.green_name.offset, g->name, 16);
    if (!*g->name)
        process_name(p, g->name);
    if (g->hub < s->hub_count)
        s->hubs[g->hub].live++;
    g->state = state_of(s, p, g);
    uint64_t carrier = process_field(p, address, p->d.green_stranded_on);
    g->alone_on = (int)process_field(p, carrier, p->d.carrier_tid);
    g->is_main = address == p->d.main;
    g->sp = process_field(p, address, p->d.green_ctx);
    uint64_t timer = address + p->d.green_timer.offset;
    if (g->state == GREEN_WAITING && process_field(p, timer, p->d.timer_index))
        g->deadline = (int64_t)process_field(p, timer, p->d.timer_at);
    s->count++;
}

static bool lives(const struct process *p, uint64_t green)
{
    return !(process_field(p, green, p->d.green_done) & THREAD_DONE);
}

/* The green threads of a list that live. One that was never used has no hub yet. */
static void take_list(struct snapshot *s, const struct process *p, uint64_t head)
{
    uint64_t node = process_word(p, head, 8);
    for (int i = 0; node && node != head && i < LIST_MOST; i++) {
        uint64_t green = node - p->d.green_siblings.offset;
        if (process_field(p, green, p->d.green_hub) && lives(p, green))
            take_green(s, p, green);
        node = process_word(p, node, 8);
    }
}

static void take_greens(struct snapshot *s, const struct process *p)
{
    if (lives(p, p->d.main))
        take_green(s, p, p->d.main);
    take_list(s, p, p->d.bodies);
    for (unsigned i = 0; i < s->hub_count; i++) {
        uint64_t hub = p->d.hubs + (uint64_t)i * p->d.hub_size;
        take_list(s, p, hub + p->d.hub_lights.offset + p->d.lights_bodies.offset);
    }
}

static int by_address(const void *a, const void *b)
{
    const struct green_info *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

static int by_id(const void *a, const void *b)
{
    const struct green_info *x = a, *y = b;
    int main_first = (int)y->is_main - (int)x->is_main;
    return main_first ? main_first : (x->id > y->id) - (x->id < y->id);
}

/* One queued waiter; the green threads are ordered by address. */
static void take_waiter(struct snapshot *s, const struct process *p, uint64_t waiter)
{
    struct green_info key = {.address = process_field(p, waiter, p->d.waiter_green)};
    if (!key.address || !s->count)
        return;
    struct green_info *g = bsearch(&key, s->greens, s->count, sizeof key, by_address);
    if (!g)
        return;
    if (!g->waits++) {
        g->waits_at = process_field(p, waiter, p->d.waiter_addr);
        g->waits_for = (unsigned)process_field(p, waiter, p->d.waiter_flags) >> LOT_KIND_SHIFT;
    }
}

static void take_queue(struct snapshot *s, const struct process *p, uint64_t head, uint64_t first)
{
    for (int i = 0; first && first != head && i < LIST_MOST; i++) {
        take_waiter(s, p, first - p->d.waiter_node.offset);
        first = process_word(p, first, 8);
    }
}

static void take_waits(struct snapshot *s, const struct process *p)
{
    size_t size = (size_t)p->d.bucket_size * p->d.bucket_count;
    char *buckets = xalloc(size);
    if (!process_read(p, p->d.buckets, buckets, size))
        die("process %d has ended", p->pid);
    for (uint32_t i = 0; i < p->d.bucket_count; i++) {
        uint64_t at = (uint64_t)i * p->d.bucket_size + p->d.bucket_queue.offset, first;
        memcpy(&first, buckets + at, sizeof first);
        take_queue(s, p, p->d.buckets + at, first);
    }
    free(buckets);
}

void snapshot_take(struct snapshot *s, const struct process *p)
{
    *s = (struct snapshot){0};
    take_hubs(s, p);
    if (!s->hub_count)
        return;
    take_greens(s, p);
    qsort(s->greens, s->count, sizeof *s->greens, by_address);
    take_waits(s, p);
    qsort(s->greens, s->count, sizeof *s->greens, by_id);
}

void snapshot_free(struct snapshot *s)
{
    free(s->hubs);
    free(s->greens);
}

const struct green_info *snapshot_find(const struct snapshot *s, int id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->greens[i].id == id)
            return &s->greens[i];
    return NULL;
}
