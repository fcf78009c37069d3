/* What a green thread waits for, told from the address it waits at. */
#include "cmd.h"
#include "core/lot.h"
#include "endpoint.h"
#include "snapshot.h"

#include <stdlib.h>

/* evy_sleep waits at a word of its own frame, right above its saved context. */
#define FRAME_NEAR 1024

static bool sleeps(const struct green_info *g)
{
    return g->waits_for == LOT_INDEX_SLEEP ||
           (g->waits_for == LOT_INDEX_API && g->deadline && g->waits_at - g->sp < FRAME_NEAR);
}

static const char *const kinds[] = {
#define X(name, text) [LOT_INDEX_##name] = text,
    LOT_KINDS(X)
#undef X
};

/* The descriptor whose slot address lies in, *writes by its place there; -1: none. */
static int descriptor_at(const struct snapshot *s, const struct process *p, uint64_t address,
                         bool *writes)
{
    uint64_t chunk_size = (uint64_t)p->d.fd_size * p->d.fd_chunk_slots;
    for (uint32_t i = 0; i < p->d.fd_chunk_count; i++) {
        uint64_t chunk = s->fd_chunks[i];
        if (!chunk || address < chunk || address >= chunk + chunk_size)
            continue;
        uint64_t in_chunk = address - chunk;
        *writes = in_chunk % p->d.fd_size - p->d.fd_seq.offset >= p->d.fd_seq.size / 2;
        return (int)(i * p->d.fd_chunk_slots + in_chunk / p->d.fd_size);
    }
    return -1;
}

static char *descriptor_wait(struct snapshot *s, const struct process *p,
                             const struct green_info *g, int fd, bool writes)
{
    if (g->waits > 1)
        return xformat("any of %u descriptors, among them %d", g->waits, fd);
    const char *can = writes ? "writable" : "readable";
    if (p->core)
        return xformat("descriptor %d %s", fd, can);
    s->endpoints = s->endpoints ? s->endpoints : endpoints_new(p->pid);
    char *end = endpoint_of(s->endpoints, fd);
    char *text = xformat("descriptor %d %s (%s)", fd, can, end);
    free(end);
    return text;
}

static int by_address(const void *a, const void *b)
{
    const struct green_id *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

static const struct green_id *joined_at(const struct snapshot *s, const struct process *p,
                                        uint64_t address)
{
    struct green_id key = {.address = address - p->d.green_done.offset};
    return bsearch(&key, s->ids, s->count, sizeof key, by_address);
}

/* A pthread mutex keeps its owner's id behind the lock word and a count. */
static char *mutex_wait(const struct process *p, const struct green_info *g)
{
    int owner = (int)process_word(p, g->waits_at + 8, 4);
    return owner > 0 ? xformat("mutex at %#lx, owned by %d", g->waits_at, owner)
                     : xformat("mutex at %#lx", g->waits_at);
}

static char *what(struct snapshot *s, const struct process *p, const struct green_info *g)
{
    bool writes;
    unsigned kind = g->waits_for < sizeof kinds / sizeof *kinds ? g->waits_for : LOT_INDEX_OTHER;
    const struct green_id *other = joined_at(s, p, g->waits_at);
    int fd = descriptor_at(s, p, g->waits_at, &writes);
    if (!g->waits)
        return xformat("unknown");
    if (kind == LOT_INDEX_FD && fd >= 0)
        return descriptor_wait(s, p, g, fd, writes);
    if (kind == LOT_INDEX_JOIN && other)
        return xformat("the end of thread %d", other->id);
    if (kind == LOT_INDEX_MUTEX)
        return mutex_wait(p, g);
    if (sleeps(g))
        return xformat("sleep");
    if (kind == LOT_INDEX_SIGWAIT || kind == LOT_INDEX_CHILD)
        return xformat("%s", kinds[kind]);
    return xformat("%s at %#lx", kinds[kind], g->waits_at);
}

char *snapshot_wait(struct snapshot *s, const struct process *p, const struct green_info *g)
{
    if (g->state != GREEN_WAITING)
        return xformat("%s", "");
    char *text = what(s, p, g);
    if (!g->deadline)
        return text;
    double left = (double)(g->deadline - s->now) / 1e9;
    char *timed = xformat("%s, %.1f s left", text, left > 0 ? left : 0);
    free(text);
    return timed;
}
