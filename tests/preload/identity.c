// Proves: thread names, scheduling parameters, affinity and CPU clocks answer per thread.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
          strcmp(name, "identity") == 0);
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

int main(void)
{
    pthread_t t[20];
    char name[16];
    CHECK(pthread_setname_np(pthread_self(), "identity") == 0);
    for (intptr_t i = 0; i < 20; i++)
        t[i] = spawn(body, (void *)i);
    usleep(1000);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0);
    puts(name);
    return 0;
}
