#include "sync/cpuclock.h"

#include "arch/probe.h"
#include "base/clock.h"
#include "body/tcb.h"
#include "core/cputime.h"
#include "core/hub.h"
#include "real/real.h"
#include "sync/thread.h"

#include <errno.h>
#include <sys/resource.h>

struct reading {
    int tid;      /* whose clock is read */
    int64_t used; /* what it says, -1: there is no such green thread */
};

static int tid_of(clockid_t clock)
{
    return clock == CLOCK_THREAD_CPUTIME_ID ? 0 : (int)~((unsigned)clock >> 3 | ~0u << 29);
}

static bool read_body(struct green *g, void *arg)
{
    struct reading *r = arg;
    if (tcb_tid(g->thread) == r->tid && atomic_load(&g->takes_signals))
        r->used = cputime_of(g);
    return r->used < 0;
}

bool is_own_cpuclock(clockid_t clock)
{
    int tid = tid_of(clock);
    return tid == 0 || tid == tcb_tid(self()->thread);
}

int64_t cpuclock_read(clockid_t clock)
{
    struct reading r = {.tid = tid_of(clock), .used = -1};
    if (self() && is_own_cpuclock(clock))
        return cputime_of(self());
    if (hub_count && r.tid == tcb_tid(main_thread()->thread))
        return cputime_of(main_thread());
    if (r.tid >= TID_INVENTED_MIN)
        green_each(read_body, &r);
    return r.used;
}

int evy_pthread_getcpuclockid(pthread_t thread, clockid_t *clock)
{
    struct green *g = thread_green(thread);
    if (!g)
        return REAL(pthread_getcpuclockid)(thread, clock);
    if (atomic_load(&g->done) & THREAD_DONE)
        return ESRCH;
    cputime_of(g); /* its time is kept from now on */
    *clock = cpuclock_id(tcb_tid(thread));
    return 0;
}

int evy_clock_gettime(clockid_t clock, struct timespec *ts)
{
    int64_t used = cpuclock_read(clock);
    if (used < 0 || (hub_count && !probe(ts, sizeof *ts)))
        return REAL(clock_gettime)(clock, ts);
    *ts = ns_to_timespec(used);
    return 0;
}

/* As fine as every thread's. */
int evy_clock_getres(clockid_t clock, struct timespec *ts)
{
    bool green = is_cpuclock(clock) && cpuclock_read(clock) >= 0;
    return REAL(clock_getres)(green ? CLOCK_THREAD_CPUTIME_ID : clock, ts);
}

static struct timeval part_of(int64_t total, int64_t part, int64_t whole)
{
    int64_t us = whole ? (int64_t)((double)total * (double)part / (double)whole / 1000) : 0;
    return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

/* What the green thread has used, shared out between user and system as all that its carrier has used. The rest of
   the counters are the carrier's. */
int evy_getrusage(__rusage_who_t who, struct rusage *usage)
{
    int r = REAL(getrusage)(who, usage);
    if (r || who != RUSAGE_THREAD)
        return r;
    int64_t user = timeval_to_ns(&usage->ru_utime), system = timeval_to_ns(&usage->ru_stime);
    int64_t used = cputime_of(self());
    usage->ru_utime = part_of(used, user, user + system);
    usage->ru_stime = part_of(used, system, user + system);
    return 0;
}
