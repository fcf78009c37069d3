/* What a green thread waits for, told from the address it waits at. */
#include "cmd.h"
#include "endpoint.h"
#include "snapshot.h"

#include <stdlib.h>
#include <time.h>

/* A sleeper waits at a word of its own frame, right above its saved context. */
#define FRAME_NEAR 1024

/* The descriptor whose slot address lies in, *writes by its place there; -1: none. */
static int descriptor_at(const struct process *p, uint64_t address, bool *writes)
{
    uint64_t chunk_size = (uint64_t)p->d.fd_size * p->d.fd_chunk_slots;
    for (uint32_t i = 0; i < p->d.fd_chunk_count; i++) {
        uint64_t chunk = process_word(p, p->d.fd_chunks + 8 * (uint64_t)i, 8);
        if (!chunk || address < chunk || address >= chunk + chunk_size)
            continue;
        uint64_t in_chunk = address - chunk;
        *writes = in_chunk % p->d.fd_size - p->d.fd_seq.offset >= p->d.fd_seq.size / 2;
        return (int)(i * p->d.fd_chunk_slots + in_chunk / p->d.fd_size);
    }
    return -1;
}

static char *descriptor_wait(const struct process *p, const struct green_info *g, int fd,
                             bool writes)
{
    if (g->waits > 1)
        return xformat("any of %u descriptors, among them %d", g->waits, fd);
    char *end = endpoint_of(p->pid, fd);
    char *text = xformat("descriptor %d %s (%s)", fd, writes ? "writable" : "readable", end);
    free(end);
    return text;
}

static const struct green_info *joined_at(const struct snapshot *s, const struct process *p,
                                          uint64_t address)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->greens[i].address + p->d.green_done.offset == address)
            return &s->greens[i];
    return NULL;
}

static char *what(const struct snapshot *s, const struct process *p, const struct green_info *g)
{
    bool writes;
    int fd = descriptor_at(p, g->waits_at, &writes);
    if (fd >= 0)
        return descriptor_wait(p, g, fd, writes);
    const struct green_info *other = joined_at(s, p, g->waits_at);
    if (other)
        return xformat("the end of thread %d", other->id);
    if (g->deadline && g->waits_at >= g->sp && g->waits_at < g->sp + FRAME_NEAR)
        return xformat("sleep");
    if (!g->waits_at)
        return xformat("unknown");
    return xformat("lock or condition at %#lx", g->waits_at);
}

char *snapshot_wait(const struct snapshot *s, const struct process *p, const struct green_info *g)
{
    if (g->state != GREEN_WAITING)
        return xformat("%s", "");
    char *text = what(s, p, g);
    if (!g->deadline)
        return text;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double left = (double)(g->deadline - now.tv_sec * 1000000000L - now.tv_nsec) / 1e9;
    char *timed = xformat("%s, %.1f s left", text, left > 0 ? left : 0);
    free(text);
    return timed;
}
