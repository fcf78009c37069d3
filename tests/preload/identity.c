// Proves: thread names, scheduling parameters, affinity and CPU clocks answer per thread; a name is inherited, by the
// child of a fork, too; of a thread that has ended and is not joined yet some calls know nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void *body(void *arg)
{
    char name[16], expect[16];
    int id = (int)(intptr_t)arg, policy;
    struct sched_param param;
    cpu_set_t set;
    clockid_t clock;
    struct timespec a, b;
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0 &&
          strcmp(name, "all of them") == 0);
    snprintf(expect, sizeof expect, "worker-%d", id);
    CHECK(pthread_setname_np(pthread_self(), expect) == 0);
    usleep(2000);
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, expect) == 0);
    CHECK(pthread_setname_np(pthread_self(), "far too long a name") == ERANGE);
    CHECK(pthread_getname_np(pthread_self(), name, 3) == ERANGE);
    CHECK(pthread_getschedparam(pthread_self(), &policy, &param) == 0);
    CHECK(policy == SCHED_OTHER && param.sched_priority == 0);
    CHECK(pthread_getaffinity_np(pthread_self(), sizeof set, &set) == 0 && CPU_COUNT(&set) > 0);
    CHECK(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0);
    CHECK(pthread_getcpuclockid(pthread_self(), &clock) == 0);
    CHECK(clock_gettime(clock, &a) == 0);
    for (volatile int i = 0; i < 3000000; i++)
        ;
    CHECK(clock_gettime(clock, &b) == 0);
    CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec > a.tv_nsec));
    return NULL;
}

static void tell(const char *who)
{
    char name[16], same[16] = "";
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0);
    CHECK(prctl(PR_GET_NAME, same) == 0 && strcmp(name, same) == 0);
    printf("%s: \"%s\"\n", who, name);
    fflush(stdout);
}

static void *teller(void *who)
{
    tell(who);
    return NULL;
}

static void *forks(void *arg)
{
    int status;
    CHECK(pthread_setname_np(pthread_self(), "forks") == 0);
    pid_t pid = fork();
    if (pid == 0) {
        tell("the child");
        pthread_join(spawn(teller, "its thread"), NULL);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return arg;
}

static void *heir(void *arg)
{
    tell("heir");
    CHECK(pthread_setname_np(pthread_self(), "") == 0);
    CHECK(pthread_join(spawn(teller, "heir of no name"), NULL) == 0);
    CHECK(prctl(PR_SET_NAME, "a name that is cut") == 0);
    CHECK(pthread_join(spawn(teller, "heir of a cut one"), NULL) == 0);
    CHECK(pthread_setname_np(*(pthread_t *)arg, "by another") == 0);
    return arg;
}

static void names(void)
{
    pthread_t self = pthread_self();
    CHECK(prctl(PR_SET_NAME, "before threads") == 0);
    CHECK(pthread_join(spawn(heir, &self), NULL) == 0);
    tell("main");
    CHECK(pthread_join(spawn(teller, "its thread"), NULL) == 0);
    CHECK(pthread_join(spawn(forks, NULL), NULL) == 0);
}

static void *returns(void *arg)
{
    return arg;
}

#define SHOW(x) printf("%s: %d\n", #x, x)

/* The kernel is asked by an id that it does not know any more, or that means the caller. */
static void ended(void)
{
    char name[16];
    int policy;
    struct sched_param param = {0};
    clockid_t clock;
    pthread_attr_t attr;
    pthread_t t = spawn(returns, NULL);
    while (pthread_getschedparam(t, &policy, &param) == 0)
        usleep(1000);
    SHOW(pthread_setname_np(t, "too late"));
    SHOW(pthread_setname_np(t, "too late and too long"));
    SHOW(pthread_getname_np(t, name, sizeof name));
    SHOW(pthread_getcpuclockid(t, &clock));
    SHOW(pthread_getschedparam(t, &policy, &param));
    SHOW(pthread_setschedparam(t, SCHED_OTHER, &param));
    SHOW(pthread_setschedprio(t, 0));
    SHOW(pthread_kill(t, 0));
    SHOW(pthread_kill(t, SIGTERM));
    SHOW(pthread_kill(t, 99));
    SHOW(pthread_cancel(t));
    SHOW(pthread_getattr_np(t, &attr));
    CHECK(pthread_attr_destroy(&attr) == 0 && pthread_join(t, NULL) == 0);
}

int main(void)
{
    pthread_t t[20];
    char name[16];
    names();
    ended();
    CHECK(pthread_setname_np(pthread_self(), "all of them") == 0);
    for (intptr_t i = 0; i < 20; i++)
        t[i] = spawn(body, (void *)i);
    usleep(1000);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0);
    puts(name);
    return 0;
}
