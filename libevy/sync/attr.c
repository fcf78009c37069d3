/* Thread attributes, and scheduling parameters: green threads carry them about, and of those that wait for the same or
   are ready on the same hub the one with the highest priority comes first. */
#include "sync/attr.h"

#include "base/config.h"
#include "base/sys.h"
#include "body/critical.h"
#include "body/green.h"
#include "real/real.h"
#include "sync/thread.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static atomic_bool default_changed; /* the program has set default attributes of its own */

static size_t default_stack(void)
{
    static size_t size;
    pthread_attr_t attr;
    if (size == 0 && pthread_getattr_default_np(&attr) == 0) {
        pthread_attr_getstacksize(&attr, &size);
        pthread_attr_destroy(&attr);
    }
    return config.stack ? config.stack : size;
}

/* Whether the kernel agrees depends on capabilities, limits and groups: it is tried on the carrier, and undone. */
static int ask_kernel(int policy, int priority)
{
    struct sched_param old, wanted = {.sched_priority = priority};
    critical_enter();
    int before = (int)sys3(SYS_sched_getscheduler, 0, 0, 0);
    sys3(SYS_sched_getparam, 0, &old, 0);
    int r = (int)sys3(SYS_sched_setscheduler, 0, policy, &wanted);
    if (r == 0)
        sys3(SYS_sched_setscheduler, 0, before, &old);
    critical_leave();
    return -r;
}

int sched_check(int policy, int priority)
{
    int min = sched_get_priority_min(policy), max = sched_get_priority_max(policy);
    if (min < 0 || priority < min || priority > max)
        return EINVAL;
    return policy == SCHED_FIFO || policy == SCHED_RR ? ask_kernel(policy, priority) : 0;
}

/* Which CPUs are allowed is the kernel's to say: likewise tried and undone. */
int affinity_wish(size_t size, const cpu_set_t *set, cpu_set_t **made)
{
    cpu_set_t before, *got = calloc(1, sizeof *got);
    if (!got)
        return ENOMEM;
    critical_enter();
    sys3(SYS_sched_getaffinity, 0, sizeof before, &before);
    long r = sys3(SYS_sched_setaffinity, 0, size, set);
    if (r == 0) {
        sys3(SYS_sched_getaffinity, 0, sizeof *got, got);
        sys3(SYS_sched_setaffinity, 0, sizeof before, &before);
    }
    critical_leave();
    if (r) {
        free(got);
        return (int)-r;
    }
    *made = got;
    return 0;
}

/* A creator's wish is inherited. */
static int read_affinity(const pthread_attr_t *attr, struct thread_request *req)
{
    cpu_set_t set, unset;
    memset(&unset, -1, sizeof unset); /* glibc's answer when there is none */
    if (attr && (pthread_attr_getaffinity_np(attr, sizeof set, &set) || !CPU_EQUAL(&set, &unset)))
        return affinity_wish(sizeof set, &set, &req->affinity);
    if (likely(!self()->affinity))
        return 0;
    req->affinity = malloc(sizeof *req->affinity);
    if (!req->affinity)
        return EAGAIN;
    *req->affinity = *self()->affinity;
    return 0;
}

void sched_adopt_main(struct green *g)
{
    struct sched_param param;
    if (REAL(pthread_getschedparam)(g->thread, &g->policy, &param) ==
        0) /* without a ceiling's raise */
        g->priority = param.sched_priority;
    g->nice = getpriority(PRIO_PROCESS, 0);
    sys3(SYS_prctl, PR_GET_NAME, g->name, 0);
    free(g->affinity); /* in the child of a fork: its parent's main's */
    g->affinity = NULL;
}

static int read_sched(const pthread_attr_t *attr, struct thread_request *req)
{
    struct sched_param param;
    int inherit;
    pthread_attr_getinheritsched(attr, &inherit);
    if (inherit == PTHREAD_INHERIT_SCHED)
        return 0;
    req->own_sched = true;
    pthread_attr_getschedpolicy(attr, &req->policy);
    pthread_attr_getschedparam(attr, &param);
    req->priority = param.sched_priority;
    return sched_check(req->policy, req->priority);
}

static int read_stack(const pthread_attr_t *attr, struct thread_request *req)
{
    void *low;
    size_t size;
    pthread_attr_getguardsize(attr, &req->guard);
    pthread_attr_getstack(attr, &low, &size); /* without an address it answers one that ends at 0 */
    if ((uintptr_t)low + size != 0)
        req->own = low;
    pthread_attr_getstacksize(attr, &req->stack);
    size_t guard = align_up(req->guard, 4096);
    return guard < req->guard || req->stack + guard < guard ? EINVAL : 0;
}

static int read_attr(const pthread_attr_t *attr, struct thread_request *req)
{
    int detach;
    pthread_attr_getdetachstate(attr, &detach);
    req->detached = detach == PTHREAD_CREATE_DETACHED;
    req->masked = pthread_attr_getsigmask_np(attr, &req->sigmask) == 0;
    int err = read_stack(attr, req);
    if (!err)
        err = read_sched(attr, req);
    return err ? err : read_affinity(attr, req);
}

static int read_default(struct thread_request *req)
{
    pthread_attr_t attr;
    int err = pthread_getattr_default_np(&attr);
    if (err)
        return EAGAIN;
    err = read_attr(&attr, req);
    pthread_attr_destroy(&attr);
    return err;
}

int thread_request_read(const pthread_attr_t *attr, struct thread_request *req)
{
    const struct green *me = self();
    req->stack = default_stack();
    req->guard = 4096;
    req->own = NULL;
    req->detached = req->masked = false;
    req->own_sched = false;
    req->policy = me->policy;
    req->priority = me->priority;
    req->affinity = NULL;
    if (attr)
        return read_attr(attr, req);
    if (unlikely(atomic_load_explicit(&default_changed, memory_order_relaxed)))
        return read_default(req);
    return likely(!me->affinity) ? 0 : read_affinity(NULL, req);
}

int evy_pthread_setattr_default_np(const pthread_attr_t *attr)
{
    int err = REAL(pthread_setattr_default_np)(attr);
    if (!err)
        atomic_store_explicit(&default_changed, true, memory_order_relaxed);
    return err;
}
