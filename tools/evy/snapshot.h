/* The green threads of a process at one moment, as far as a process that goes on lets itself be seen. */
#ifndef EVY_SNAPSHOT_H
#define EVY_SNAPSHOT_H

#include "process.h"

enum green_state { GREEN_RUNNING, GREEN_ALONE, GREEN_READY, GREEN_WAITING };

struct green_info {
    uint64_t address;       /* of its struct green */
    int id;                 /* as gettid() tells it */
    char name[17];          /* its own, or the process's; printable */
    enum green_state state; /* what it does */
    unsigned hub;           /* index of its hub */
    int alone_on;           /* the kernel thread that runs it when GREEN_ALONE */
    bool is_main;           /* the main thread */
    uint64_t sp;            /* of its saved context, unless it runs */
    int64_t since; /* when it began to wait, or to run alone, in CLOCK_MONOTONIC ns; 0: not known */
    int64_t cpu;   /* ns of CPU time, where the process keeps it */
    int64_t deadline;   /* of its wait, CLOCK_MONOTONIC in ns; 0: none */
    uint64_t waits_at;  /* address it waits at, the first if several; 0: none seen */
    unsigned waits_for; /* what for: LOT_INDEX_* of core/lot.h */
    unsigned waits;     /* at how many addresses */
};

struct hub_info {
    int tid;            /* kernel thread that drives it */
    bool asleep;        /* it waits in the kernel */
    bool idle;          /* it runs no green thread */
    unsigned live;      /* green threads whose home it is */
    unsigned switches;  /* so far, modulo 2^32, as those below */
    unsigned hand_offs; /* from one kernel thread to another */
    unsigned moves;     /* of green threads to other hubs */
    uint64_t current;   /* the green thread it runs */
};

struct green_id {
    uint64_t address; /* of its struct green */
    int id;
};

struct snapshot {
    struct hub_info *hubs;
    unsigned hub_count; /* 0: no second thread yet */
    struct green_info *greens;
    size_t count;                /* of greens, ordered by id, main first */
    struct green_id *ids;        /* as many, ordered by address */
    uint64_t *fd_chunks;         /* the process's table of descriptors */
    int64_t now;                 /* the moment, CLOCK_MONOTONIC in ns */
    bool cut_off;                /* a list ended in memory that cannot be read */
    bool has_cpu;                /* the process keeps CPU times (core/cputime.h) */
    struct endpoints *endpoints; /* what its sockets are; NULL: not asked yet */
};

void snapshot_take(struct snapshot *s, struct process *p);
void snapshot_free(struct snapshot *s);

extern const char *const state_names[];

/* What g waits for, in words; from malloc. */
char *snapshot_wait(struct snapshot *s, const struct process *p, const struct green_info *g);

/* The green thread whose id the text is; NULL: none. */
const struct green_info *snapshot_find(const struct snapshot *s, const char *id);

#endif
