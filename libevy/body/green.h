/* A green thread: a stack, a thread control block, a saved context, a state. The descriptor lies at the
   top of its own stack, above the TCB; that of main and of each hub's loop lies in static memory. */
#ifndef EVY_GREEN_H
#define EVY_GREEN_H

#include "arch/context.h"
#include "base/base.h"
#include "base/inbox.h"
#include "base/list.h"
#include "base/timers.h"
#include "body/stack.h"
#include "owned.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

struct carrier;
struct hub;
struct io;

/* The park word: who suspends and who wakes agree through it (sched.c). */
enum { WAKE_RUNNING, WAKE_PARKED, WAKE_NOTIFIED };

/* In green->asked: what others want of its hub's carrier. */
enum {
    ASK_RUN = 1,  /* it is nowhere: put it in the run queue */
    ASK_WAKE = 2, /* end its park, or its next one */
};

enum green_flags {
    GREEN_MAIN = 1,           /* the program's main thread, on the kernel's stack and TCB */
    GREEN_LOOP = 2,           /* a hub's own context; never parks */
    GREEN_DETACHED = 4,       /* nobody will join */
    GREEN_CANCEL_OFF = 8,     /* pthread_setcancelstate(DISABLE) */
    GREEN_CANCEL_ASYNC = 16,  /* pthread_setcanceltype(ASYNCHRONOUS) */
    GREEN_FOREIGN_STACK = 64, /* on the program's own memory (pthread_attr_setstack) */
    GREEN_EXITING = 32,       /* pthread_exit or cancellation has begun: no further cancellation */
    GREEN_LIGHT = 128,  /* shares its hub's TCB with others (light.h); never leaves that hub */
    GREEN_COOP = 256,   /* never runs while another such one of its hub does */
    GREEN_STAYS = 512,  /* owns what belongs to its hub: never given to another */
    GREEN_ASIDE = 1024, /* has woken a starving waiter where it could not yield (lot_stand_aside) */
    GREEN_NO_NEW_PRIVS = 2048, /* asked for it; its kernel thread may lack it (own_thread.h) */
    GREEN_TRACED =
        4096, /* a tracer is to see the signals that it sends itself: they pass the kernel */
    GREEN_OWN_SCHED = 8192, /* made with PTHREAD_EXPLICIT_SCHED */
};

/* Reasons in green->interrupted: why waits should end early. */
enum {
    INTERRUPT_CANCEL = 1, /* pthread_cancel asked */
    INTERRUPT_SIGNAL = 2, /* a signal waits for this green thread */
    INTERRUPT_REPORT = 8, /* it is to say where it waits (lot_report) */
    INTERRUPT_RAISE = 4,  /* an error waits for it (raise.h) */
    INTERRUPT_LOOP = 16,  /* it is a hub's loop, which must not wait */
};

/* In green->blocks: the call it makes on a kernel thread of its own (io/blocking.h). */
enum {
    BLOCKS_NOT,
    BLOCKS_LOOKUP, /* much of libc, not to be cut short: cancellation acts before it only */
    BLOCKS_PLAIN,  /* one that may answer EINTR, no cancellation point */
    BLOCKS_POINT,  /* one that may answer EINTR, a cancellation point */
};

/* Where a green thread last waited by futex(2), how often it has been woken there in a row, the word being the same
   again (sync/futex.c). */
struct futex_wait {
    const void *word;
    unsigned value;
    unsigned woken;
};

/* Errors that wait for a green thread (core/raise.h). */
struct raises {
    atomic_int kill; /* errno of a kill not delivered yet, 0: none; any thread */
    struct list
        armed; /* timeouts that have not fired; by the green thread itself and its hub's loop */
    struct list fired;  /* those that have, oldest first; likewise */
    struct raise *last; /* the timeout behind the error last delivered; NULL: it was a kill */
};

static inline void raises_init(struct raises *r)
{
    atomic_store_explicit(&r->kill, 0, memory_order_relaxed);
    list_init(&r->armed);
    list_init(&r->fired);
    r->last = NULL;
}

/* What the explicit API keeps of a green thread (api/gt.h). Touched on its hub's carrier, but for refs. */
struct gt {
    atomic_uint
        refs;  /* handles that keep its memory, and itself while it lives; 0: not made by the API */
    int error; /* errno it ended with, 0: normally; valid once it has ended */
    struct list links;     /* to call at its end (api/link.c) */
    struct list cleanups;  /* the program's, innermost first (api/spawn.c) */
    void **locals;         /* by key (api/local.c), NULL: none */
    unsigned local_count;  /* keys locals has room for */
    struct evy_pool *pool; /* whose slot it has, else NULL (api/pool.c) */
    struct list comrade;   /* among that pool's members; its lock */
    struct green *spawner; /* dies with it unless started before; a reference; else NULL */
};

struct green {
    /* The first cache line: all that parking, a wake-up and a switch touch. */
    struct context ctx;     /* valid while it is not running; owned by the switch */
    uintptr_t tp;           /* thread pointer of its TCB; fixed but for a light one's (lender) */
    struct hub *hub;        /* who makes it runnable and runs it; read again after any switch */
    struct inbox_node link; /* in the run queue of hub; carrier of hub */
    struct handler_frame *handlers; /* innermost handler that runs on it (proc/signals.c); own */
    unsigned short wake;            /* WAKE_*: the park word; carrier of hub */
    short priority;                 /* real-time: runs before lower ones of its hub; else 0 */
    unsigned flags;                 /* GREEN_*; written by the green thread itself */
    int err_no;                     /* errno of a light one while it does not run */
    atomic_uint interrupted;        /* INTERRUPT_*: why waits should end early */
    unsigned critical;    /* sections in which no handler may run on it (critical.h); own */
    atomic_uint stranded; /* STRANDED_*: whether its hub has left it behind (carrier.h) */

    int64_t since;               /* the hub's tick when it parked; for observers */
    _Atomic(struct hub *) waker; /* hub of who woke it last from another; written by that one */
    unsigned apart; /* wake-ups in a row that say it had better live there; carrier of hub */

    /* What an I/O call needs besides. */
    unsigned handled;    /* signal handlers begun on it; own */
    unsigned breaks;     /* those of them without SA_RESTART; own */
    struct io *turn;     /* its call that has a descriptor's turn (io/io.h); own */
    struct waiter *amid; /* its wait that a handler is about to interrupt (core/lot_wait.c); own */

    /* Its birth and end. */
    uintptr_t thread;                /* its pthread_t */
    void (*body)(struct green *);    /* what runs first on its stack; returns after sched_end */
    void *(*start)(void *);          /* start routine of a pthread */
    void *arg;                       /* its argument */
    void *result;                    /* what it returned or gave to pthread_exit; valid once done */
    _Atomic(struct green *) joiner;  /* who waits for its end; itself when a foreign thread does */
    atomic_uint done;                /* DONE_*: joiners park on it (sync/thread.c) */
    atomic_bool gone;                /* it is off its stack, which may be freed; never main */
    atomic_bool takes_signals;       /* from signals_inherit to signals_retire */
    bool timed_out;                  /* the last park ended by its timer; written by the hub */
    struct green *pool_next;         /* in a pool of dead ones (green_pool.c) */
    size_t stack_user;               /* stack size the program asked for, or the default */
    size_t guard_user;               /* guard size the program asked for, or the default */
    void (*leaving)(struct green *); /* called as it ends, on its own stack, when not NULL */
    struct raises raises;            /* what is to end its waits with an error (raise.h) */
    struct timer timer;              /* armed while parked with a deadline; owned by hub */
    struct gt gt;                    /* for the explicit API */

    struct inbox_node note;    /* in the inbox of a hub while asked is not 0 */
    atomic_uint asked;         /* ASK_*; who makes it more than 0 puts note into the inbox */
    int policy;                /* of scheduling, for those who ask (sync/attr.c) */
    int nice;                  /* likewise, from -20 to 19 */
    cpu_set_t *affinity;       /* likewise, from malloc; NULL: never set */
    struct stack stack;        /* its memory; map is NULL for main and adopted threads */
    char name[16];             /* pthread_setname_np; a pthread's at first its creator's */
    struct list siblings;      /* among all bodies (green.c); bodies_lock */
    atomic_uint blocks;        /* BLOCKS_*: what a signal may interrupt; written by itself */
    _Atomic uint64_t sigmask;  /* signals it blocks, bit sig - 1; written by itself */
    _Atomic uint64_t sigwaits; /* signals it waits for in sigwait & co; written by itself */
    _Atomic uint64_t
        sigpending;    /* signals sent to it alone and not yet handled (proc/sigqueue.c) */
    uintptr_t segment; /* its segment base while it does not run (OBSERVE_SEGMENT) */
    stack_t alt;       /* its alternate signal stack; size 0: it has none; own */
    int64_t cpu;       /* ns it has used up to its last turn (cputime.h); who runs it */
    int64_t
        cpu_from; /* CPU time of the kernel thread when its turn began, 0: not noted; likewise */
    void *fiber;  /* what ThreadSanitizer knows it by (annotate.h); NULL: nothing yet */
    struct carrier *stranded_on; /* the kernel thread that runs it when it is stranded */
    struct futex_wait futex;     /* own */
    struct green *lender; /* whose TCB a light one is on while it makes such a call (blocks); own */
};

_Static_assert(offsetof(struct green, since) == CACHE_LINE, "a switch touches one line");

/* The running green thread; NULL on a thread libevy does not run (foreign, or main while alone).
   One word of initial-exec TLS: nothing else of the runtime lives there. */
extern __thread struct green *self_green __attribute__((tls_model("initial-exec")));

/* Whom self_green is kept for while it is NULL: the caller of vfork, whose child runs on the same TCB and is none of
   ours. */
extern __thread struct green *vforked_green __attribute__((tls_model("initial-exec")));

static inline struct green *self(void)
{
    return self_green;
}

/* Every body that has a TCB, living or pooled, but main's; bodies_lock of green.c. */
extern struct list green_bodies;

/* A new body: stack and guard as asked for, a TCB with that tid, a descriptor. NULL: out of memory, or of room for it. In
   a critical section, as the next two. */
struct green *body_make(size_t size, size_t guard, int tid);

/* The same on memory of the program's: size bytes from low, TCB and descriptor included. NULL with -errno in *err: EINVAL
   when that is too small for them, EAGAIN. body_destroy leaves the memory alone. */
struct green *body_make_at(void *low, size_t size, int tid, int *err);
void body_destroy(struct green *g);

/* From where its stack grows down. */
char *body_stack_top(const struct green *g);

/* Everything that is to be as new at each start but the context, which must leave the critical section that this
   enters. */
void green_ready(struct green *g, unsigned flags, void (*body)(struct green *));

/* Sets self_green of another TCB: same offset from the thread pointer in each (initial-exec TLS). */
void green_set_self(uintptr_t tp, struct green *g);

/* The green thread whose pthread_t this is; it must be one of ours (tcb_is_green). */
struct green *green_of_thread(uintptr_t thread);

/* Calls fn for every green thread's body, living or pooled, but main's, until it answers false. bodies_lock
   is held: fn takes no lock and does not switch. */
void green_each(bool (*fn)(struct green *, void *), void *arg);

/* What observers call g: as gettid() tells it; light ones, which share a TCB, go by their address. */
int green_id(const struct green *g);

/* Around fork: takes this file's locks, or gives them back, in parent and child. */
void green_fork_locks(bool take);

#endif
