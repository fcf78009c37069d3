// Proves: scheduling parameters, processors and signal masks asked for in thread attributes, inherited or
// set later are what the thread tells.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "check.h"
static void tell(const char *who)
{
    struct sched_param param;
    int policy;
    cpu_set_t cpus;
    sigset_t mask;
    CHECK(pthread_getschedparam(pthread_self(), &policy, &param) == 0);
    CHECK(pthread_getaffinity_np(pthread_self(), sizeof cpus, &cpus) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
    printf("%s: policy %d priority %d, only the first processor: %d, USR1 blocked: %d\n", who,
           policy, param.sched_priority, CPU_COUNT(&cpus) == 1 && CPU_ISSET(0, &cpus),
           sigismember(&mask, SIGUSR1));
}

static void run(const pthread_attr_t *attr, void *(*body)(void *), void *arg)
{
    pthread_t t;
    int err = pthread_create(&t, attr, body, arg);
    if (err)
        printf("%s: error %d\n", (char *)arg, err);
    else
        CHECK(pthread_join(t, NULL) == 0);
}

static void *teller(void *who)
{
    tell(who);
    return NULL;
}

static void *changer(void *who)
{
    struct sched_param param = {0};
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    CHECK(pthread_setschedparam(pthread_self(), SCHED_BATCH, &param) == 0);
    CHECK(pthread_setschedprio(pthread_self(), 0) == 0);
    CHECK(pthread_setschedprio(pthread_self(), 1) == EINVAL);
    CHECK(pthread_setaffinity_np(pthread_self(), sizeof first, &first) == 0);
    tell(who);
    run(NULL, teller, "its child");
    CPU_ZERO(&first);
    CHECK(pthread_setaffinity_np(pthread_self(), sizeof first, &first) == EINVAL);
    param.sched_priority = 1000;
    CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == EINVAL);
    CHECK(pthread_setschedparam(pthread_self(), 77, &param) == EINVAL);
    return NULL;
}

static void explicit_ones(void)
{
    struct sched_param param = {0};
    pthread_attr_t attr;
    sigset_t usr;
    cpu_set_t cpus;
    CHECK(pthread_attr_init(&attr) == 0);
    CHECK(pthread_attr_setschedpolicy(&attr, SCHED_OTHER) == 0);
    CHECK(pthread_attr_setschedparam(&attr, &param) == 0);
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    CHECK(pthread_attr_setsigmask_np(&attr, &usr) == 0);
    run(&attr, teller, "masked");
    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);
    CHECK(pthread_attr_setaffinity_np(&attr, sizeof cpus, &cpus) == 0);
    run(&attr, teller, "on one processor");
    CPU_ZERO(&cpus);
    CPU_SET(1000, &cpus);
    CHECK(pthread_attr_setaffinity_np(&attr, sizeof cpus, &cpus) == 0);
    run(&attr, teller, "on none");
    CHECK(pthread_attr_destroy(&attr) == 0);
}

static void *stack_of(void *arg)
{
    size_t size;
    pthread_attr_t attr;
    CHECK(pthread_getattr_np(pthread_self(), &attr) == 0);
    CHECK(pthread_attr_getstacksize(&attr, &size) == 0 && pthread_attr_destroy(&attr) == 0);
    *(size_t *)arg = size;
    return NULL;
}

static void defaults(void)
{
    pthread_attr_t attr;
    size_t size = 0;
    CHECK(pthread_getattr_default_np(&attr) == 0);
    CHECK(pthread_attr_setstacksize(&attr, 300 * 1024) == 0);
    CHECK(pthread_setattr_default_np(&attr) == 0);
    run(NULL, stack_of, &size);
    CHECK(size >= 290 * 1024 && size <= 310 * 1024);
    CHECK(pthread_attr_setguardsize(&attr, SIZE_MAX - 100) == 0);
    run(&attr, teller, "guard too large");
    CHECK(pthread_attr_destroy(&attr) == 0);
}

static int processors(pid_t id)
{
    cpu_set_t cpus;
    CHECK(sched_getaffinity(id, sizeof cpus, &cpus) == 0);
    CHECK(sched_getaffinity(id, 1, &cpus) == -1 && errno == EINVAL); // words only
    CHECK(pthread_getaffinity_np(pthread_self(), 1, &cpus) == EINVAL);
    return CPU_COUNT(&cpus);
}

/* The kernel's, in its first version. */
struct kernel_sched {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

/* What libc has no call for yet, and what it has one for by the kernel's number. */
static void by_number(void)
{
    struct kernel_sched attr;
    cpu_set_t cpus;
    CHECK(syscall(SYS_sched_getattr, gettid(), &attr, sizeof attr, 0) == 0);
    CHECK(attr.policy == SCHED_BATCH && attr.nice == 7);
    attr.nice = 9;
    CHECK(syscall(SYS_sched_setattr, gettid(), &attr, 0) == 0);
    CHECK(syscall(SYS_sched_setattr, 0, &attr, 1000) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20 - 9);
    CHECK(syscall(SYS_setpriority, PRIO_PROCESS, gettid(), 11) == 0);
    CHECK(syscall(SYS_sched_getaffinity, gettid(), sizeof cpus, &cpus) > 0 && CPU_ISSET(0, &cpus));
    CHECK(syscall(SYS_sched_setaffinity, gettid(), sizeof cpus, &cpus) == 0);
}

static void *inherits_nice(void *arg)
{
    CHECK(getpriority(PRIO_PROCESS, gettid()) == 11);
    return arg;
}

static void nices(void)
{
    int mains = getpriority(PRIO_PROCESS, getpid());
    CHECK(setpriority(PRIO_PROCESS, gettid(), 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(nice(2) == 7);
    by_number();
    run(NULL, inherits_nice, "nice");
    CHECK(getpriority(PRIO_PROCESS, getpid()) == mains);
    CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
}

/* A thread changes its own by id; nobody else's change with it. */
static void *by_id(void *arg)
{
    struct sched_param param = {0};
    cpu_set_t first;
    int all = processors(0);
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    CHECK(sched_getscheduler(0) == SCHED_OTHER && sched_getparam(gettid(), &param) == 0);
    CHECK(sched_setscheduler(gettid(), SCHED_BATCH, &param) == 0);
    CHECK(sched_getscheduler(0) == SCHED_BATCH && sched_setparam(0, &param) == 0);
    CHECK(syscall(SYS_sched_getscheduler, gettid()) == SCHED_BATCH);
    CHECK(syscall(SYS_sched_getparam, 0, &param) == 0 && param.sched_priority == 0);
    CHECK(sched_setaffinity(gettid(), sizeof first, &first) == 0 && processors(0) == 1);
    nices();
    tell(arg);
    CHECK(sched_getscheduler(getpid()) == SCHED_OTHER && processors(getpid()) == all);
    CHECK(sched_setscheduler(getpid(), SCHED_IDLE, &param) == 0);
    param.sched_priority = 1;
    CHECK(sched_setparam(0, &param) == -1 && errno == EINVAL);
    CHECK(sched_setscheduler(0, SCHED_BATCH, NULL) == -1 && errno == EINVAL);
    CHECK(sched_getparam(0, NULL) == -1 && errno == EINVAL);
    CHECK(sched_getscheduler(2000000000) == -1 && errno == ESRCH);
    CHECK(sched_getparam(2000000000, &param) == -1 && errno == ESRCH);
    return NULL;
}

static void *gone(void *arg)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, teller, "short") == 0 && pthread_join(t, NULL) == 0);
    CHECK(pthread_join(t, NULL) == ESRCH && pthread_detach(t) == ESRCH);
    return arg;
}

int main(void)
{
    tss_t key;
    run(NULL, teller, "plain");
    explicit_ones();
    run(NULL, changer, "changed");
    run(NULL, by_id, "by its id");
    CHECK(sched_getscheduler(0) == SCHED_IDLE);
    run(NULL, gone, NULL);
    defaults();
    CHECK(tss_create(&key, NULL) == thrd_success);
    tss_delete(key);
    return 0;
}
