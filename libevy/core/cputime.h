/* The CPU time of each green thread. It is kept from switch to switch once somebody has asked for one (OBSERVE_CPU); until
   then only a green thread that computes for so long that it loses its hub has the time from there on counted. */
#ifndef EVY_CPUTIME_H
#define EVY_CPUTIME_H

#include "base/base.h"

#include <time.h>

struct green;

/* The kernel's name for a thread's CPU clock (CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED); tid 0: the calling one's. */
static inline clockid_t cpuclock_id(int tid)
{
    return (clockid_t)(~(unsigned)tid << 3 | 6);
}

/* CPU time in ns of the kernel thread with that id, 0: the calling one; 0 when there is none. A raw system call. */
int64_t kernel_thread_cpu(int tid);

/* From now on all of it is kept; no effect when it is already. */
void cputime_keep(void);

/* In a forked child: nobody has asked. */
void cputime_forget(void);

/* The calling kernel thread continues g, leaves it, or goes from one to the other. */
void cputime_continue(struct green *g);
EVY_COLD void cputime_leave(struct green *g);
void cputime_switch(struct green *from, struct green *to);

/* What g has used, in ns, whether it runs or not; from now on all of it is kept. g must not vanish. */
int64_t cputime_of(struct green *g);

#endif
