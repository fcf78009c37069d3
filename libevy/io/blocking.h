/* A libc call that blocks its kernel thread, made by a green thread. */
#ifndef EVY_BLOCKING_H
#define EVY_BLOCKING_H

#include "body/green.h"

/* Before and after such a call of that kind (BLOCKS_*). call_begin answers false, with errno, when the call is not to be
   made: a kill or a timeout came before its turn. call_end answers true when the call, which gave r, was ended by
   a signal whose handler the program never saw: it is to be made again. Both may act on a cancellation. */
struct blocking_call {
    unsigned kind;
    unsigned
        outer; /* the kind of call it is made in: by a signal handler, or a job of evy_blocking */
    unsigned handled; /* signal handlers run on this green thread before it */
};
bool call_begin(struct blocking_call *c, unsigned kind);
bool call_end(struct blocking_call *c, long r);

/* g makes no such call any more: it has left it by a jump, or ends. */
void blocking_abandon(struct green *g);

/* How many may be under way at a time from now on (EVY_BLOCKING_THREADS); who comes later waits for its turn. */
void blocking_limit(unsigned most);

/* Whether enough of them are left for a call that may last for ever and can be done without. */
bool blocking_has_room(void);

/* In a forked child: none is under way. */
void blocking_forget(void);

/* call, an expression of that type: the other green threads of the hub go on meanwhile. */
#define BLOCKING(kind, type, call)                                                                 \
    ({                                                                                             \
        struct blocking_call c_;                                                                   \
        type r_;                                                                                   \
        do {                                                                                       \
            if (unlikely(!call_begin(&c_, BLOCKS_##kind))) {                                       \
                r_ = (type)-1L;                                                                    \
                break;                                                                             \
            }                                                                                      \
            r_ = call;                                                                             \
        } while (call_end(&c_, (long)r_));                                                         \
        r_;                                                                                        \
    })

#endif
