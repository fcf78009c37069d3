/* What each hub has run, and when: recorded while EVY_TRACE asks for it, for `evy trace`. A process writes the
   file PREFIX.PID, mapped and sparse, so that nothing is lost when it is killed. */
#ifndef EVY_TRACE_H
#define EVY_TRACE_H

#include "base/base.h"
#include "body/observe.h"

#include <stdint.h>

struct green;
struct hub;

#define TRACE_MAGIC "evytrc1"

enum trace_kind {
    TRACE_RUN,     /* the hub continues this green thread, 0: its own loop */
    TRACE_WAKE,    /* this green thread becomes ready */
    TRACE_HANDOFF, /* the hub goes to another carrier, this green thread goes on alone */
};

struct trace_event {
    int64_t at;    /* CLOCK_MONOTONIC in ns */
    uint32_t id;   /* of a green thread, as gettid() tells it */
    uint32_t kind; /* enum trace_kind */
};

/* The file: this header, then for each hub a struct trace_hub. */
struct trace_header {
    char magic[8];        /* TRACE_MAGIC */
    uint32_t pid;         /* of the process */
    uint32_t hubs;        /* how many follow */
    uint32_t capacity;    /* events that a hub has room for */
    uint32_t header_size; /* bytes before the first hub */
    char name[16];        /* the process's */
};

struct trace_hub {
    uint64_t count;              /* events seen: what is beyond the capacity was dropped */
    uint64_t unused[7];          /* the next hub's carrier writes another cache line */
    struct trace_event events[]; /* in order */
};

/* Begins to record if EVY_TRACE asks for it, for that many hubs; one line says why it cannot. */
void trace_start(unsigned hub_count);

/* In a forked child: the file is the parent's. */
void trace_forget(void);

/* By the carrier of h only, or whoever hands h over. */
EVY_COLD void trace_add(const struct hub *h, enum trace_kind kind, const struct green *g);

static inline void trace(const struct hub *h, enum trace_kind kind, const struct green *g)
{
    if (observes(OBSERVE_TRACE))
        trace_add(h, kind, g);
}

#endif
