/* What a thread tells about itself: stack, name, scheduling. */
#include "body/green.h"
#include "body/tcb.h"
#include "core/hub.h"
#include "real/real.h"
#include "sync/attr.h"
#include "sync/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* NULL also for main, which is what glibc thinks it is. */
static struct green *own_body(pthread_t thread)
{
    struct green *g = thread_green(thread);
    return g && !(g->flags & GREEN_MAIN) ? g : NULL;
}

/* The stack has a little more room below, which glibc's has not. */
int evy_pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
    struct green *g = own_body(thread);
    if (!g)
        return REAL(pthread_getattr_np)(thread, attr);
    int err = pthread_attr_init(attr);
    if (err)
        return err;
    char *low = g->flags & GREEN_FOREIGN_STACK ? stack_low(&g->stack)
                                               : stack_top(&g->stack) - g->stack_user;
    pthread_attr_setstack(attr, low, g->stack_user);
    pthread_attr_setguardsize(attr, g->guard_user);
    struct sched_param param = {.sched_priority = g->priority};
    pthread_attr_setschedpolicy(attr, g->policy);
    pthread_attr_setschedparam(attr, &param);
    cpu_set_t cpus;
    if (evy_pthread_getaffinity_np(thread, sizeof cpus, &cpus) == 0)
        pthread_attr_setaffinity_np(attr, sizeof cpus, &cpus);
    if (atomic_load(&g->done) & THREAD_DETACHED)
        pthread_attr_setdetachstate(attr, PTHREAD_CREATE_DETACHED);
    return 0;
}

int evy_pthread_setname_np(pthread_t thread, const char *name)
{
    struct green *g = own_body(thread);
    if (!g)
        return REAL(pthread_setname_np)(thread, name);
    if (strlen(name) >= sizeof g->name)
        return ERANGE;
    strcpy(g->name, name);
    return 0;
}

/* A thread without a name of its own has its creator's, which for us is the process's. */
int evy_pthread_getname_np(pthread_t thread, char *name, size_t size)
{
    struct green *g = own_body(thread);
    if (!g)
        return REAL(pthread_getname_np)(thread, name, size);
    if (size < sizeof g->name)
        return ERANGE;
    if (!g->name[0])
        strncpy(g->name, program_invocation_short_name, sizeof g->name - 1);
    strcpy(name, g->name);
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
    *policy = g->policy;
    param->sched_priority = g->priority;
    return 0;
}

int evy_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
{
    struct green *g = thread_green(thread);
    int err = own_body(thread) ? sched_check(policy, param->sched_priority)
                               : REAL(pthread_setschedparam)(thread, policy, param);
    if (!err && g) {
        g->policy = policy;
        g->priority = param->sched_priority;
    }
    return err;
}

int evy_pthread_setschedprio(pthread_t thread, int priority)
{
    struct green *g = thread_green(thread);
    int err = g && own_body(thread) ? sched_check(g->policy, priority)
                                    : REAL(pthread_setschedprio)(thread, priority);
    if (!err && g)
        g->priority = priority;
    return err;
}
