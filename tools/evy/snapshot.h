/* The green threads of a process at one moment, as far as a process that goes on lets itself be seen. */
#ifndef EVY_SNAPSHOT_H
#define EVY_SNAPSHOT_H

#include "process.h"

enum green_state { GREEN_RUNNING, GREEN_ALONE, GREEN_READY, GREEN_WAITING };

struct green_info {
    uint64_t address;       /* of its struct green */
    int id;                 /* as gettid() tells it */
    char name[17];          /* its own, or the process's */
    enum green_state state; /* what it does */
    unsigned hub;           /* index of its hub */
    int alone_on;           /* the kernel thread that runs it when GREEN_ALONE */
    bool is_main;           /* the main thread */
    uint64_t sp;            /* of its saved context, unless it runs */
    int64_t deadline;       /* of its wait, CLOCK_MONOTONIC in ns; 0: none */
    uint64_t waits_at;      /* address it waits at, the first if several; 0: none seen */
    unsigned waits_for;     /* what for: LOT_INDEX_* of core/lot.h */
    unsigned waits;         /* at how many addresses */
};

struct hub_info {
    int tid;           /* kernel thread that drives it */
    bool asleep;       /* it waits in the kernel */
    bool idle;         /* it runs no green thread */
    unsigned live;     /* green threads whose home it is */
    unsigned switches; /* so far, modulo 2^32 */
    uint64_t current;  /* the green thread it runs */
};

struct snapshot {
    struct hub_info *hubs;
    unsigned hub_count; /* 0: no second thread yet */
    struct green_info *greens;
    size_t count; /* of greens, ordered by id, main first */
};

void snapshot_take(struct snapshot *s, const struct process *p);
void snapshot_free(struct snapshot *s);

extern const char *const state_names[];

/* What g waits for, in words; from malloc. */
char *snapshot_wait(const struct snapshot *s, const struct process *p, const struct green_info *g);

/* The green thread with that id; NULL: none. */
const struct green_info *snapshot_find(const struct snapshot *s, int id);

#endif
