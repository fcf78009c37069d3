/* Carriers: the kernel threads that drive hubs. A hub whose green thread does not come back can be given to a
 * spare one; the stranded green thread goes on alone on the old carrier and rejoins its hub at its next critical
 * section. A carrier without a hub sleeps in its own context. */
#ifndef EVY_CARRIER_H
#define EVY_CARRIER_H

#include "arch/context.h"
#include "base/base.h"

#include <signal.h>
#include <stdatomic.h>

struct green;
struct hub;

/* In green->stranded. */
enum {
    STRANDED_NOT,
    STRANDED_CLAIMED, /* a monitor is deciding: wait for the outcome */
    STRANDED,         /* its hub has gone to another carrier */
};

struct carrier {
    struct context idle;   /* where it is when it drives no hub and carries no green thread */
    uintptr_t idle_tp;     /* thread pointer of that context */
    uintptr_t native_tp;   /* the TCB glibc made for this kernel thread */
    void *fiber;           /* what ThreadSanitizer knows it by (annotate.h) */
    atomic_int tid;        /* the kernel's id of it; 0 until it runs */
    atomic_int stat;       /* its /proc file, 0 for those made late */
    atomic_uint given;     /* futex: 1 when hub has been set for it to drive */
    struct hub *hub;       /* what it is to drive; written before given */
    bool ends;             /* the kernel thread is not to be used again; own */
    struct green *arrival; /* the stranded green thread that came to the idle context; own */
    void *own_alt;         /* its own alternate signal stack, on the stack of its idle context */
    stack_t alt;           /* the one that the kernel has for it now; own */
    struct carrier *next;  /* in the list of spares, or of ended ones; spares_lock */
};

/* The calling main thread becomes the first carrier of hub h. Returns 0 or -errno. */
int carrier_adopt_main(struct hub *h);

/* A new carrier, a kernel thread, drives h. Returns 0 or -errno. */
int carrier_start(struct hub *h);

/* A new carrier, for which the kernel keeps what it keeps for the caller's kernel thread. It waits for a hub. NULL: there
   is none to be had. From a green thread in a critical section. */
struct carrier *carrier_clone(void);

/* The main kernel thread's carrier if that has nothing to do: from then on it waits for a hub. Else NULL. */
struct carrier *carrier_take_main(void);

/* One that has nothing to do, the last that came to that first; NULL when there is none. */
struct carrier *carrier_take_spare(void);

/* A new one instead, NULL when there are as many as may be. Only the monitor makes them. */
struct carrier *carrier_make_spare(void);

/* Back to those that have nothing to do. */
void carrier_put_spare(struct carrier *c);

/* c, which has nothing to do, drives h, which nobody drives. */
void carrier_give(struct carrier *c, struct hub *h);

/* g, the running green thread, in a critical section, goes on as one of hub own, which nobody drives, on the carrier
   that it is on. fresh, which has nothing to do, drives the hub it leaves. */
void carrier_keep(struct green *g, struct hub *own, struct carrier *fresh);

/* On the loop of h: its carrier leaves it and ends, h is put back (apart.h). Returns once somebody drives h again. */
void carrier_end(struct hub *h);

/* Whether c is the process's main kernel thread. */
bool carrier_is_main(const struct carrier *c);

/* Whether the kernel would run c if it had a processor for it. Only for the monitor. */
bool carrier_wants_processor(struct carrier *c);

/* g, in a critical section, has been stranded: returns on a carrier of its hub. */
EVY_COLD void carrier_rejoin(struct green *g);

/* The kernel's id of the thread that runs g at this moment, 0 when g runs nowhere: then it will see what the caller
   has written before. Async-signal-safe. */
int carrier_running(const struct green *g);

/* The kernel thread with that id, NULL when it is none of ours. Async-signal-safe. */
struct carrier *carrier_of_tid(int tid);

/* Whether none is blocked or computes but those of the hubs, and the process, which has that many kernel threads, has no
   others but the monitor. */
bool carriers_rest(unsigned kernel_threads);

/* In a forked child: there are none. */
void carriers_forget(void);

#endif
