/* Errors that others want a green thread's waits to end with: kills and timeouts. Each is delivered once, to one wait
   that allows it (LOT_RAISE), in the order: kill, then timeouts as they fired. */
#ifndef EVY_RAISE_H
#define EVY_RAISE_H

#include "base/base.h"
#include "base/list.h"
#include "base/timers.h"
#include "body/green.h"

/* What a wait answers, negated, when an error waits for its green thread. No errno of the kernel's. */
#define ERAISED 4000

/* A timeout. It belongs to the green thread that armed it, and to that one's hub. */
struct raise {
    struct timer timer;  /* in the hub's heap while armed */
    struct list node;    /* in armed or fired of its owner, when state says so */
    struct green *owner; /* whose wait it ends */
    int err;             /* what that wait answers */
    unsigned state;      /* RAISE_* */
};

enum { RAISE_IDLE, RAISE_ARMED, RAISE_FIRED, RAISE_DELIVERED };

/* What is armed or has fired will not fire, or be delivered. */
EVY_COLD void raises_withdraw(struct raises *r);

/* Their green thread is about to end. */
static inline void raises_forget(struct raises *r)
{
    if (unlikely(!list_empty(&r->armed) || !list_empty(&r->fired)))
        raises_withdraw(r);
}

/* The running green thread arms r, which is not armed. Returns 0 or -ENOMEM. */
int raise_arm(struct raise *r, deadline_t at, int err);

/* Disarms r, by its owner. Returns whether it had fired, delivered or not. */
bool raise_cancel(struct raise *r);

/* Disarms the raise whose timer t is, if it is one's: whether it is. On its owner's hub. */
bool raise_drop(struct timer *t);

/* The next wait of g that allows it, or the one it is in, ends with err. Any thread. */
void raise_kill(struct green *g, int err);

/* A wait of the running green thread has answered -ERAISED: takes what it is to be told, an errno. -ERAISED travels
   up like any other error and becomes that errno at the public edge only. */
EVY_COLD int raise_take(void);

/* The errno that -errno means. */
static inline int error_edge(long r)
{
    return unlikely(r == -ERAISED) ? raise_take() : (int)-r;
}

#endif
