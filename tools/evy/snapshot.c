#include "snapshot.h"

#include "body/observe.h"
#include "cmd.h"
#include "core/lot.h"
#include "endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the runtime's enums say (body/green.h, core/carrier.h, sync/thread.h). */
enum { PARKED = 1, STRANDED = 2, THREAD_DONE = 1, GREEN_LIGHT = 128 };

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
        h->hand_offs = (unsigned)process_field(p, hub, p->d.hub_hand_offs);
        h->moves = (unsigned)process_field(p, hub, p->d.hub_moves);
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

/* As the library's green_id. */
static int id_of(const struct process *p, uint64_t green)
{
    if (process_field(p, green, p->d.green_flags) & GREEN_LIGHT)
        return (int)(green >> 12 & 0x7fffffff);
    uint64_t thread = process_field(p, green, p->d.green_thread);
    return (int)process_word(p, thread + process_word(p, p->d.tid_offset, 8), 4);
}

/* CPU time of a kernel thread; 0 when it cannot be told. */
static int64_t cpu_of_kernel_thread(const struct process *p, int tid)
{
    long long ns = 0;
    char *path = xformat("/proc/%d/task/%d/schedstat", p->pid, tid);
    FILE *file = p->core ? NULL : fopen(path, "re");
    if (file && fscanf(file, "%lld", &ns) != 1)
        ns = 0;
    if (file)
        fclose(file);
    free(path);
    return ns;
}

/* Up to its last switch, and since then when it runs. */
static int64_t cpu_of(const struct snapshot *s, const struct process *p, const struct green_info *g)
{
    int64_t cpu = (int64_t)process_field(p, g->address, p->d.green_cpu);
    int64_t from = (int64_t)process_field(p, g->address, p->d.green_cpu_from);
    if (from <= 0 || (g->state != GREEN_RUNNING && g->state != GREEN_ALONE))
        return cpu;
    int tid = g->state == GREEN_ALONE ? g->alone_on : s->hubs[g->hub].tid;
    int64_t more = cpu_of_kernel_thread(p, tid) - from;
    return more > 0 ? cpu + more : cpu;
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
        memcpy(g->name, p->name, sizeof g->name);
    make_printable(g->name);
    if (g->hub < s->hub_count)
        s->hubs[g->hub].live++;
    g->state = state_of(s, p, g);
    uint64_t carrier = process_field(p, address, p->d.green_stranded_on);
    g->alone_on = (int)process_field(p, carrier, p->d.carrier_tid);
    g->is_main = address == p->d.main;
    g->sp = process_field(p, address, p->d.green_ctx);
    if (g->state == GREEN_WAITING || g->state == GREEN_ALONE)
        g->since = (int64_t)process_field(p, address, p->d.green_since);
    g->cpu = s->has_cpu ? cpu_of(s, p, g) : 0;
    uint64_t timer = address + p->d.green_timer.offset;
    if (g->state == GREEN_WAITING && process_field(p, timer, p->d.timer_index))
        g->deadline = (int64_t)process_field(p, timer, p->d.timer_at);
    s->count++;
}

static bool lives(const struct process *p, uint64_t green)
{
    return !(process_field(p, green, p->d.green_done) & THREAD_DONE);
}

/* A list that changes while it is read may lead round and round: then a node comes again that was remembered, which is
   the latest whose number is a power of two. */
struct walk {
    uint64_t remembered;
    unsigned steps;
};

static bool goes_round(struct walk *w, uint64_t node)
{
    if (node == w->remembered)
        return true;
    if ((w->steps & (w->steps + 1)) == 0)
        w->remembered = node;
    w->steps++;
    return false;
}

/* The green threads of a list that live. One that was never used has no hub yet. */
static void take_list(struct snapshot *s, const struct process *p, uint64_t head)
{
    uint64_t node = process_word(p, head, 8);
    s->cut_off |= !node;
    struct walk walk = {0, 0};
    while (node && node != head && !goes_round(&walk, node)) {
        uint64_t green = node - p->d.green_siblings.offset;
        if (process_field(p, green, p->d.green_hub) && lives(p, green))
            take_green(s, p, green);
        node = process_word(p, node, 8);
        s->cut_off |= !node;
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
    const struct green_info *x = a, *y = b; /* or struct green_id, which begins alike */
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
    struct walk walk = {0, 0};
    while (first && first != head && !goes_round(&walk, first)) {
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

/* One that was met twice, as the lists changed. */
static void drop_doubles(struct snapshot *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct green_info *g = &s->greens[i];
        bool again = n && s->greens[n - 1].address == g->address;
        if (again && g->hub < s->hub_count)
            s->hubs[g->hub].live--;
        if (!again)
            s->greens[n++] = *g;
    }
    s->count = n;
}

/* For who has to find one by its address when they are in another order. */
static void keep_ids(struct snapshot *s)
{
    s->ids = xalloc((s->count + 1) * sizeof *s->ids);
    for (size_t i = 0; i < s->count; i++)
        s->ids[i] = (struct green_id){s->greens[i].address, s->greens[i].id};
}

static void take_fd_chunks(struct snapshot *s, const struct process *p)
{
    size_t size = p->d.fd_chunk_count * sizeof *s->fd_chunks;
    s->fd_chunks = xalloc(size);
    process_read(p, p->d.fd_chunks, s->fd_chunks, size);
}

/* Of a process that is no more, when one of its hubs last looked around. */
static int64_t moment(const struct snapshot *s, const struct process *p)
{
    struct timespec ts;
    int64_t last = 0;
    for (unsigned i = 0; p->core && i < s->hub_count; i++) {
        int64_t tick =
            (int64_t)process_field(p, p->d.hubs + (uint64_t)i * p->d.hub_size, p->d.hub_tick);
        last = tick > last ? tick : last;
    }
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return p->core ? last : ts.tv_sec * 1000000000L + ts.tv_nsec;
}

void snapshot_take(struct snapshot *s, struct process *p)
{
    *s = (struct snapshot){0};
    process_look(p);
    take_hubs(s, p);
    if (!s->hub_count)
        return;
    s->has_cpu = process_word(p, p->d.observed, 1) & OBSERVE_CPU;
    take_greens(s, p);
    qsort(s->greens, s->count, sizeof *s->greens, by_address);
    drop_doubles(s);
    keep_ids(s);
    take_waits(s, p);
    if (p->core && s->cut_off)
        warn("memory of some green threads is not in the core file: they are not shown");
    take_fd_chunks(s, p);
    s->now = moment(s, p);
    qsort(s->greens, s->count, sizeof *s->greens, by_id);
}

void snapshot_free(struct snapshot *s)
{
    free(s->hubs);
    free(s->greens);
    free(s->ids);
    free(s->fd_chunks);
    if (s->endpoints)
        endpoints_free(s->endpoints);
}

const struct green_info *snapshot_find(const struct snapshot *s, const char *id)
{
    char text[16];
    for (size_t i = 0; i < s->count; i++) {
        snprintf(text, sizeof text, "%d", s->greens[i].id);
        if (strcmp(text, id) == 0)
            return &s->greens[i];
    }
    return NULL;
}
