/* What a thread tells about itself: stack, name, scheduling. */
#include "base/sys.h"
#include "body/green.h"
#include "body/tcb.h"
#include "core/hub.h"
#include "real/real.h"
#include "sync/attr.h"
#include "sync/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* NULL also for main, which is what glibc thinks it is. */
static struct green *own_body(pthread_t thread)
{
    struct green *g = thread_green(thread);
    return g && !(g->flags & GREEN_MAIN) ? g : NULL;
}

/* Until it is joined. glibc asks the kernel about threads by their ids, and an ended one has none. */
static bool has_ended(const struct green *g)
{
    return atomic_load(&g->done) & THREAD_DONE;
}

/* The stack has a little more room below, which glibc's has not: there the TCB's alignment is cut off. */
static void tell_stack(const struct green *g, pthread_attr_t *attr)
{
    bool foreign = g->flags & GREEN_FOREIGN_STACK;
    size_t size = foreign ? g->stack_user : g->stack_user & -tcb_facts.align;
    char *low = foreign ? stack_low(&g->stack) : stack_top(&g->stack) - size;
    pthread_attr_setstack(attr, low, size);
    pthread_attr_setguardsize(attr, align_up(g->guard_user, 4096));
}

int evy_pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
    struct green *g = own_body(thread);
    if (!g)
        return REAL(pthread_getattr_np)(thread, attr);
    int err = pthread_attr_init(attr);
    if (err)
        return err;
    tell_stack(g, attr);
    struct sched_param param = {.sched_priority = g->priority};
    if (g->flags & GREEN_OWN_SCHED)
        pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(attr, g->policy);
    pthread_attr_setschedparam(attr, &param);
    cpu_set_t cpus;
    if (evy_pthread_getaffinity_np(thread, sizeof cpus, &cpus) == 0)
        pthread_attr_setaffinity_np(attr, sizeof cpus, &cpus);
    if (atomic_load(&g->done) & THREAD_DETACHED)
        pthread_attr_setdetachstate(attr, PTHREAD_CREATE_DETACHED);
    return 0;
}

static bool renamed; /* somebody has another name than carriers had when they were made */

/* Main's is in the kernel, too. */
int evy_pthread_setname_np(pthread_t thread, const char *name)
{
    struct green *g = thread_green(thread);
    if (!g)
        return REAL(pthread_setname_np)(thread, name);
    if (strlen(name) >= sizeof g->name)
        return ERANGE;
    int err = g->flags & GREEN_MAIN ? REAL(pthread_setname_np)(thread, name)
              : has_ended(g)        ? ENOENT
                                    : 0;
    if (err)
        return err;
    strcpy(g->name, name);
    renamed = true;
    return 0;
}

void names_after_fork(void)
{
    if (renamed && self())
        sys3(SYS_prctl, PR_SET_NAME, self()->name, 0);
}

/* Main may have been given another by way of /proc, and a light one has none at first. */
int evy_pthread_getname_np(pthread_t thread, char *name, size_t size)
{
    struct green *g = own_body(thread);
    if (!g)
        return REAL(pthread_getname_np)(thread, name, size);
    if (size < sizeof g->name)
        return ERANGE;
    if (has_ended(g))
        return ENOENT;
    bool none = g->flags & GREEN_LIGHT && !g->name[0];
    snprintf(name, sizeof g->name, "%s", none ? program_invocation_short_name : g->name);
    return 0;
}

int evy_pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set)
{
    const struct green *g = own_body(thread);
    if (!g)
        return REAL(pthread_getaffinity_np)(thread, size, set);
    if (REAL(sched_getaffinity)(0, size, set))
        return errno;
    if (!g->affinity)
        return 0;
    memset(set, 0, size);
    memcpy(set, g->affinity, size < sizeof *g->affinity ? size : sizeof *g->affinity);
    return 0;
}

/* The kernel may bind main's own thread, which others carry main's work besides. */
static int main_wish(size_t size, const cpu_set_t *set, cpu_set_t **made)
{
    pthread_t thread = main_thread()->thread;
    int err = REAL(pthread_setaffinity_np)(thread, size, set);
    if (err)
        return err;
    *made = malloc(sizeof **made);
    return *made ? REAL(pthread_getaffinity_np)(thread, sizeof **made, *made) : ENOMEM;
}

/* A wish about one green thread cannot bind the carriers that others share: valid sets are remembered. */
int evy_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set)
{
    struct green *g = thread_green(thread);
    cpu_set_t *wish;
    if (!g)
        return REAL(pthread_setaffinity_np)(thread, size, set);
    int err = g->flags & GREEN_MAIN ? main_wish(size, set, &wish) : affinity_wish(size, set, &wish);
    if (!err) {
        free(g->affinity);
        g->affinity = wish;
    }
    return err;
}

int evy_pthread_getschedparam(pthread_t thread, int *policy, struct sched_param *param)
{
    struct green *g = own_body(thread);
    if (!g)
        return REAL(pthread_getschedparam)(thread, policy, param);
    if (has_ended(g))
        return ESRCH;
    *policy = g->policy;
    param->sched_priority = g->priority;
    return 0;
}

int evy_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
{
    struct green *g = thread_green(thread);
    int err = !g || !own_body(thread) ? REAL(pthread_setschedparam)(thread, policy, param)
              : has_ended(g)          ? ESRCH
                                      : sched_check(policy, param->sched_priority);
    if (!err && g) {
        g->policy = policy;
        g->priority = param->sched_priority;
    }
    return err;
}

int evy_pthread_setschedprio(pthread_t thread, int priority)
{
    struct green *g = thread_green(thread);
    int err = !g || !own_body(thread) ? REAL(pthread_setschedprio)(thread, priority)
              : has_ended(g)          ? ESRCH
                                      : sched_check(g->policy, priority);
    if (!err && g)
        g->priority = priority;
    return err;
}
