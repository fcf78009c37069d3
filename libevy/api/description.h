/* What an observer needs to read the green threads of a process from outside, without its help: debuggers and
   `evy ps`. The library exports one `evy_description`; addresses are those of the running process. */
#ifndef EVY_DESCRIPTION_H
#define EVY_DESCRIPTION_H

#include <stdint.h>

/* Grows with every change of what stands here. */
#define EVY_DESCRIPTION_VERSION 2
#define EVY_DESCRIPTION_MAGIC "libevy1"

/* Fields of the runtime's structures: X(structure, field). Pointers unless evident; a list is two pointers, the
   next node first. */
#define EVY_DESCRIBED_FIELDS(X)                                                                    \
    X(green, ctx)         /* the saved stack pointer, valid while it does not run */               \
    X(green, thread)      /* its pthread_t */                                                      \
    X(green, hub)         /* whose carrier runs it */                                              \
    X(green, wake)        /* 1: parked */                                                          \
    X(green, since)       /* hub.tick when it parked, or lost its hub (stranded) */                \
    X(green, cpu)         /* ns it has used up to its last switch, if `observed` says so */        \
    X(green, cpu_from)    /* CPU time of its kernel thread when it was continued, <= 0: unknown */ \
    X(green, timer)       /* a struct timer */                                                     \
    X(green, done)        /* 0 or 2: it lives (bit 0 is set by its end, bit 1 when detached) */    \
    X(green, flags)       /* GREEN_* */                                                            \
    X(green, name)        /* 16 bytes, empty when it has none */                                   \
    X(green, siblings)    /* node of the list `bodies` */                                          \
    X(green, stranded)    /* 2: it runs on a kernel thread that drives no hub */                   \
    X(green, stranded_on) /* that kernel thread's struct carrier */                                \
    X(green, stack)       /* a struct stack */                                                     \
    X(stack, map)         /* lowest address */                                                     \
    X(stack, total)       /* bytes from there to the top */                                        \
    X(timer, at)          /* CLOCK_MONOTONIC in ns */                                              \
    X(timer, index)       /* 0 when not armed */                                                   \
    X(hub, current)       /* the green thread its carrier runs */                                  \
    X(hub, loop)          /* the hub's own context, a struct green */                              \
    X(hub, carrier)       /* the kernel thread that drives it */                                   \
    X(hub, switches)      /* 32 bits, grows at each switch */                                      \
    X(hub, hand_offs)     /* 32 bits, grows when another kernel thread gets it */                  \
    X(hub, moves)         /* 32 bits, grows when it gives a green thread to another hub */         \
    X(hub, tick)          /* CLOCK_MONOTONIC in ns when it last looked for events */               \
    X(hub, asleep)        /* 1: it waits in the kernel */                                          \
    X(hub, lights)        /* a struct lights */                                                    \
    X(lights, bodies)     /* list of the light green threads, by their node `siblings` */          \
    X(carrier, tid)       /* the kernel's id of it */                                              \
    X(bucket, queue)      /* list of waiters; all zero when never used */                          \
    X(waiter, node)       /* in a bucket */                                                        \
    X(waiter, addr)       /* where it waits */                                                     \
    X(waiter, green)      /* who waits, NULL: a kernel thread */                                   \
    X(waiter, flags)      /* from bit 8 on what for: LOT_KINDS in core/lot.h */                    \
    X(fd, seq)            /* two words: waits to read, to write happen at their addresses */

struct evy_field {
    uint16_t offset; /* within its structure */
    uint16_t size;   /* bytes */
};

struct evy_description {
    char magic[8];       /* EVY_DESCRIPTION_MAGIC */
    uint32_t version;    /* EVY_DESCRIPTION_VERSION */
    uint32_t size;       /* of this structure */
    uint64_t hubs;       /* array of struct hub */
    uint64_t hub_count;  /* address of the number of hubs, 32 bits; 0 before the first thread */
    uint64_t main;       /* the main thread's struct green */
    uint64_t bodies;     /* head of the list of all others, living and dead */
    uint64_t buckets;    /* array of struct bucket: all waits are queued there */
    uint64_t fd_chunks;  /* array of pointers to arrays of struct fd, by number; NULL: none yet */
    uint64_t tid_offset; /* address of the offset of a thread's id (32 bits) from its pthread_t */
    uint64_t observed;   /* address of a byte: what is measured, OBSERVE_* of body/observe.h */
    uint32_t hub_size;   /* of an element */
    uint32_t bucket_size;
    uint32_t bucket_count;
    uint32_t fd_size;
    uint32_t fd_chunk_slots; /* struct fd in a chunk */
    uint32_t fd_chunk_count;
    uint32_t frame_size;     /* what a suspended context keeps at its stack pointer */
    uint32_t stack_pointer;  /* DWARF's number of it; its value there is sp + frame_size */
    uint32_t register_count; /* of registers; the last tells where the context goes on */
    struct {
        uint16_t dwarf;  /* number of a register */
        uint16_t offset; /* where it is in that frame */
    } registers[16];
    uint64_t field_names; /* address of a text: what follows, as "green.ctx green.thread ..." */
#define X(structure, field) struct evy_field structure##_##field;
    EVY_DESCRIBED_FIELDS(X)
#undef X
};

#endif
