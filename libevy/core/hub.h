/* A hub: run queue, timers, one libevent base and an inbox for wake-ups from elsewhere, driven by one
   carrier (kernel thread) at a time. Everything but the inboxes and `asleep` is touched by the carrier only. */
#ifndef EVY_HUB_H
#define EVY_HUB_H

#include "base/base.h"
#include "base/config.h"
#include "base/inbox.h"
#include "base/timers.h"
#include "body/green.h"
#include "core/green_pool.h"

#include <stdatomic.h>

struct carrier;
struct event_base;
struct evloop_wake;

struct run_queue {
    struct inbox_node *first; /* next to run */
    struct inbox_node **last; /* where the next one is linked */
};

/* Something to be done on a hub's loop, where nothing may wait. */
struct hub_call {
    struct inbox_node link;         /* in hub->calls */
    void (*fn)(struct hub_call *c); /* called once; c may be used again from then on */
};

/* The light green threads of a hub. Touched by its carrier only. */
struct lights {
    uintptr_t tp;          /* the TCB they share, 0 before the first */
    struct green **selves; /* self_green of that TCB */
    int *err_no;           /* errno of that TCB */
    struct list bodies;    /* every body, living or dead */
    struct green *dead;    /* those with the default stack, newest first, by pool_next */
    struct inbox returned; /* dead ones that others have given back */
    bool begun;            /* one has run: the TCB is initialised */
};

/* What a hub has had to do of late (gather.c). The atomic ones are read by other hubs. */
struct load {
    int64_t since;           /* when its present window began; carrier */
    int64_t busy;            /* ns in it with work; carrier */
    unsigned spells;         /* times in it that there was work; carrier */
    struct hub *to;          /* who is to have what gets ready here; NULL: itself; carrier */
    _Atomic int64_t at;      /* when its last full window ended; carrier */
    atomic_uint permille;    /* of that window with work; carrier */
    _Atomic int64_t spell;   /* ns of work at a time in it; carrier */
    _Atomic int64_t held_at; /* when it was last given all of another's; by that one */
    _Atomic int64_t hold;    /* how long it has to be busy to give anything back; likewise */
};

struct hub {
    /* The first cache line: all that a switch touches, and a wait for I/O. */
    struct run_queue runnable; /* ready to run, by priority, then first in first out */
    int budget;                /* switches and ready I/O calls left before I/O is polled again */
    atomic_uint switches;      /* grows at each switch; written by the carrier */
    struct green
        *astray; /* the cooperative one that runs on another carrier; set as the hub changes it */
    void (*after)(void *); /* what the next context does for the one switched away from */
    int64_t tick;          /* when it last polled I/O; read by the monitor and observers */
    _Atomic(struct green *) current; /* what its carrier runs: a green thread, or loop */
    bool edge_triggered;             /* what base tells of readiness (evloop_edge_triggered) */
    bool expects;                    /* this turn has called sched_expect_next; own */

    struct lights lights;     /* its light green threads (light.h) */
    int round;                /* switches from one poll of I/O to the next, by how long they take */
    int yields;               /* turns since the last poll of I/O that ended with a yield; own */
    int64_t yielded_at;       /* tick of its last yield to the kernel; own */
    struct timers timers;     /* deadlines of parked green threads */
    struct green_stock stock; /* for new green threads */
    struct green loop;        /* the hub's own context: stack and TCB of its own */
    struct run_queue after_poll; /* ready to run once I/O has been polled */
    struct run_queue held;       /* cooperative ones ready to run, held back by astray */
    void *after_arg;             /* argument of after */
    struct event_base *base;     /* private libevent */
    struct evloop_wake *wake;    /* the eventfd that ends its sleep (evloop.c) */
    int64_t relieved;            /* when priorities last gave way; 0: nobody ready has one */
    deadline_t sleep_until;      /* how long this pass may wait in the kernel; 0: only look */
    unsigned watches; /* registrations with base but the wake-up: without any, polling can wait */
    atomic_int epoll_fd; /* the base's epoll instance, -1 with other methods */
    const void *
        registering; /* argument of the registration that libevent is making with epoll; else NULL */
    bool skip_epoll_ctl; /* a vanishing descriptor's event is being deleted: the kernel knows */
    struct carrier
        *carrier;          /* who drives it; changed by who hands it over. NULL: unused (apart.h) */
    unsigned parks;        /* switches away from one that waits; counted for OBSERVE_STATS */
    atomic_uint moves;     /* ready green threads it has given to other hubs; by the carrier */
    atomic_uint hand_offs; /* grows when another carrier gets it; who hands it over */
    atomic_uint declared;  /* of these, for a call that says it will block; likewise */
    unsigned switches_seen; /* by the monitor when it last looked; monitor */
    int64_t suspected_at;   /* when the monitor first saw it in this turn, 0: it polls; monitor */
    int64_t cpu_seen;       /* CPU time of its carrier at that time, 0: not known; monitor */
    atomic_uint wanted;     /* 1: give it away, its green thread is about to block */
    _Atomic(struct green *) inspected; /* what the monitor looks at and must not vanish */
    unsigned index;                    /* place in hubs[] */
    _Atomic int64_t busy_since; /* when it last woke: it has had work ever since; by the carrier */
    unsigned busy_from;         /* switches at that time; carrier */
    _Atomic int64_t worked;     /* for how long it had when it last fell asleep */
    struct load load;           /* what tells whether one hub could do the work of two */
    bool abandoned;             /* it has just been taken from a green thread that computes */
    bool favours_woken;         /* then those who were woken last went first; carrier */
    bool apart;         /* for green threads with a kernel thread of their own (apart.h); fixed */
    unsigned residents; /* green threads that live here; counted while apart only; carrier */
    struct hub *next_apart; /* in the list of unused ones; apart.c */
    _Alignas(
        CACHE_LINE) struct inbox inbox; /* notes of green threads for which others ask something */
    struct inbox retired;               /* libevent registrations to drop (evloop.c) */
    struct inbox calls;                 /* what its loop is to do (hub_call) */
    atomic_uint asleep;       /* 1 while its carrier waits in the kernel and needs the eventfd */
    _Atomic int64_t slept_at; /* when it last fell asleep; written by the carrier */
    atomic_uint chore;        /* 1: its loop shall look after signals */
    atomic_uint born;    /* green threads started by those of this hub; written by the carrier */
    atomic_uint adopted; /* green threads started here by threads that libevy does not run */
    atomic_uint ended;   /* green threads that have ended here; written by the carrier */
};

_Static_assert(offsetof(struct hub, lights) == CACHE_LINE, "a switch touches one line");

#define HUB_SLOTS (MAX_HUBS + MAX_APART) /* those of EVY_HUBS, and those for who lives apart */

extern struct hub hubs[HUB_SLOTS];
extern atomic_uint hub_count; /* hubs made; 0 while the process is alone */

extern struct green main_green; /* the main thread's; valid while hub_count */

/* The thread pointer that glibc knows the process's one kernel thread by, where it is not the running one: in
   the child of a fork on a green thread. Else 0. */
extern uintptr_t hub_native_tp;

/* Makes the hubs and their carriers; the calling main thread becomes the first green thread of hub 0.
   Returns 0, or -errno with nothing changed. No effect when already started. */
int hubs_start(void);

/* One more hub that nobody drives yet, for green threads with a kernel thread of their own; NULL when there is no room
   or memory for it. By one thread at a time. */
struct hub *hub_make_apart(void);

/* The main thread as a green thread; only while hub_count. */
struct green *main_thread(void);

/* Forgets every hub in a forked child, where only the caller lives on: the process is alone again. */
void hubs_forget(void);

/* The hub the caller runs on; only from a green thread. */
static inline struct hub *this_hub(void)
{
    return self()->hub;
}

/* Its stock; NULL before there are hubs and on foreign threads. In a critical section. */
static inline struct green_stock *own_stock(void)
{
    struct green *me = self();
    return likely(me != NULL) ? &me->hub->stock : NULL;
}

/* The hub of g, which its hub may be giving to another (share.h): whoever is not on that hub may be too late. */
static inline struct hub *green_hub(const struct green *g)
{
    return __atomic_load_n(&g->hub, __ATOMIC_ACQUIRE);
}

static inline bool hub_is_here(const struct hub *h)
{
    struct green *g = self();
    return g && g->hub == h;
}

static inline void run_queue_init(struct run_queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

/* Before all that have a lower priority. */
EVY_COLD void run_queue_insert(struct run_queue *q, struct green *g);

/* Those without a priority come last, in the order they came. */
static inline void run_queue_push(struct run_queue *q, struct green *g)
{
    if (unlikely(g->priority > 0)) {
        run_queue_insert(q, g);
        return;
    }
    g->link.next = NULL;
    *q->last = &g->link;
    q->last = &g->link.next;
}

static inline struct green *run_queue_pop(struct run_queue *q)
{
    struct inbox_node *node = q->first;
    if (!node)
        return NULL;
    q->first = node->next;
    if (!q->first)
        q->last = &q->first;
    return container_of(node, struct green, link);
}

static inline void run_queue_push_first(struct run_queue *q, struct green *g)
{
    g->link.next = q->first;
    q->first = &g->link;
    if (!g->link.next)
        q->last = &g->link.next;
}

/* Empties more behind q. */
static inline void run_queue_append(struct run_queue *q, struct run_queue *more)
{
    if (!more->first)
        return;
    *q->last = more->first;
    q->last = more->last;
    run_queue_init(more);
}

/* Asks g's hub, from elsewhere, for what (ASK_*). g must not vanish meanwhile. */
void hub_ask(struct green *g, unsigned what);

/* Sends g's note, which is in no inbox, to its hub. */
void hub_send(struct green *g);

/* h's loop will call c->fn(c), after what was posted before. Any thread, async-signal-safe. */
void hub_post_call(struct hub *h, struct hub_call *c);

/* Ends the sleep of h's carrier, if it sleeps. Any thread, async-signal-safe. */
void hub_kick(struct hub *h);

#endif
