/* Scheduling by id instead of pthread_t. The kernel knows main's; what it would say of a green thread is its carrier's. */
#include "base/sys.h"
#include "body/critical.h"
#include "body/tcb.h"
#include "core/hub.h"
#include "io/io.h"
#include "real/real.h"
#include "sync/thread.h"

#include <errno.h>
#include <unistd.h>

struct wanted {
    int tid;         /* whose thread is looked for */
    struct green *g; /* it, once found */
};

static bool is_wanted(struct green *g, void *arg)
{
    struct wanted *w = arg;
    if (tcb_tid(g->thread) == w->tid && atomic_load(&g->takes_signals))
        w->g = g;
    return w->g == NULL;
}

struct green *thread_with_tid(pid_t tid)
{
    struct wanted w = {.tid = tid};
    if (tid >= TID_INVENTED_MIN)
        green_each(is_wanted, &w);
    return w.g;
}

/* Whom *id means if that is not for the kernel to say, by *id as it then is. */
static struct green *meant(pid_t *id)
{
    struct green *g = *id == 0 ? self() : thread_with_tid(*id);
    if (!g || !(g->flags & GREEN_MAIN))
        return g;
    *id = getpid();
    return NULL;
}

int evy_sched_getparam(pid_t id, struct sched_param *param)
{
    int policy;
    const struct green *g = meant(&id);
    if (!g)
        return REAL(sched_getparam)(id, param);
    if (!param)
        return (int)errno_edge(-EINVAL);
    return (int)errno_edge(-evy_pthread_getschedparam(g->thread, &policy, param));
}

int evy_sched_getscheduler(pid_t id)
{
    const struct green *g = meant(&id);
    return g ? g->policy : REAL(sched_getscheduler)(id);
}

/* What the kernel does with main counts among green threads too. */
static int set_kernels(pid_t id, int policy, const struct sched_param *param)
{
    int r = REAL(sched_setscheduler)(id, policy, param);
    if (r == 0 && id == getpid()) {
        main_thread()->policy = policy;
        main_thread()->priority = param->sched_priority;
    }
    return r;
}

int evy_sched_setscheduler(pid_t id, int policy, const struct sched_param *param)
{
    const struct green *g = meant(&id);
    if (!param)
        return (int)errno_edge(-EINVAL);
    if (!g)
        return set_kernels(id, policy, param);
    return (int)errno_edge(-evy_pthread_setschedparam(g->thread, policy, param));
}

int evy_sched_setparam(pid_t id, const struct sched_param *param)
{
    int policy = evy_sched_getscheduler(id);
    return policy < 0 ? -1 : evy_sched_setscheduler(id, policy, param);
}

int evy_sched_getaffinity(pid_t id, size_t size, cpu_set_t *set)
{
    const struct green *g = meant(&id);
    if (!g || !g->affinity)
        return REAL(sched_getaffinity)(g ? 0 : id, size, set);
    return (int)errno_edge(-evy_pthread_getaffinity_np(g->thread, size, set));
}

/* The carrier may be on a processor that its green thread has not asked for: that one tells the first it has. */
static int told(unsigned cpu)
{
    const cpu_set_t *wish = self()->affinity;
    if (!wish || CPU_ISSET(cpu, wish))
        return (int)cpu;
    for (cpu = 0; !CPU_ISSET(cpu, wish); cpu++)
        ;
    return (int)cpu;
}

int evy_sched_getcpu(void)
{
    int cpu = REAL(sched_getcpu)();
    return cpu < 0 ? cpu : told((unsigned)cpu);
}

int evy_getcpu(unsigned *cpu, unsigned *node)
{
    int r = REAL(getcpu)(cpu, node);
    if (r == 0 && cpu)
        *cpu = (unsigned)told(*cpu);
    return r;
}

int evy_sched_setaffinity(pid_t id, size_t size, const cpu_set_t *set)
{
    const struct green *g = meant(&id);
    if (!g && id == getpid())
        g = main_thread();
    if (!g)
        return REAL(sched_setaffinity)(id, size, set);
    return (int)errno_edge(-evy_pthread_setaffinity_np(g->thread, size, set));
}

/* Who may is for the kernel to say: it is tried on the carrier, and undone. */
static int may_be(int nice)
{
    critical_enter();
    long before = 20 - sys3(SYS_getpriority, PRIO_PROCESS, 0, 0);
    long r = sys3(SYS_setpriority, PRIO_PROCESS, 0, nice);
    if (r == 0)
        sys3(SYS_setpriority, PRIO_PROCESS, 0, before);
    critical_leave();
    return (int)r;
}

static int renice(struct green *g, int nice)
{
    nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
    int err = nice < g->nice ? may_be(nice) : 0;
    if (!err)
        g->nice = nice;
    return err;
}

int evy_getpriority(__priority_which_t which, id_t who)
{
    pid_t id = (pid_t)who;
    const struct green *g = which == PRIO_PROCESS ? meant(&id) : NULL;
    return g ? g->nice : REAL(getpriority)(which, (id_t)id);
}

int evy_setpriority(__priority_which_t which, id_t who, int nice)
{
    pid_t id = (pid_t)who;
    struct green *g = which == PRIO_PROCESS ? meant(&id) : NULL;
    return g ? (int)errno_edge(renice(g, nice)) : REAL(setpriority)(which, (id_t)id, nice);
}

int evy_nice(int more)
{
    pid_t id = 0;
    struct green *g = meant(&id);
    if (!g)
        return REAL(nice)(more);
    return renice(g, g->nice + more) ? (int)errno_edge(-EPERM) : g->nice;
}

long evy_sched_getattr(pid_t id, struct kernel_sched *attr, unsigned size, unsigned flags)
{
    const struct green *g = meant(&id);
    long r = sys_call4(SYS_sched_getattr, g ? 0 : id, (long)attr, size, flags);
    if (g && r == 0) {
        attr->policy = (unsigned)g->policy;
        attr->priority = (unsigned)g->priority;
        attr->nice = g->nice;
    }
    return errno_edge(r);
}

static int set_attr(struct green *g, const struct kernel_sched *attr)
{
    struct sched_param param = {.sched_priority = (int)attr->priority};
    int err = evy_pthread_setschedparam(g->thread, (int)attr->policy, &param);
    return err ? -err : renice(g, attr->nice);
}

long evy_sched_setattr(pid_t id, struct kernel_sched *attr, unsigned flags)
{
    struct green *g = meant(&id);
    if (g && (!attr || flags))
        return errno_edge(-EINVAL);
    return errno_edge(g ? set_attr(g, attr) : sys3(SYS_sched_setattr, id, attr, flags));
}
