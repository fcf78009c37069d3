// Proves: priority-inherit and priority-protect mutexes lock, exclude and answer their attributes;
// timed locks on a held priority-inherit mutex time out; who has a priority-protect mutex in a process without
// threads has its ceiling's priority, and may give it back when there are threads.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t pi, protect;
static int counter;

static void make(pthread_mutex_t *m, int protocol)
{
    pthread_mutexattr_t a;
    int got;
    CHECK(pthread_mutexattr_init(&a) == 0 && pthread_mutexattr_setprotocol(&a, protocol) == 0);
    CHECK(pthread_mutexattr_getprotocol(&a, &got) == 0 && got == protocol);
    CHECK(pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK) == 0);
    CHECK(pthread_mutex_init(m, &a) == 0);
}

static void *adds(void *arg)
{
    for (int i = 0; i < 200; i++) {
        CHECK(pthread_mutex_lock(&pi) == 0);
        int seen = counter;
        if (i % 20 == 0)
            usleep(20);
        counter = seen + 1;
        CHECK(pthread_mutex_unlock(&pi) == 0);
    }
    return arg;
}

static void *late(void *arg)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 50000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    CHECK(pthread_mutex_trylock(&pi) == EBUSY);
    CHECK(pthread_mutex_timedlock(&pi, &t) == ETIMEDOUT);
    CHECK(pthread_mutex_unlock(&pi) == EPERM);
    return arg;
}

static void tell_priority(const char *when)
{
    struct sched_param own, raised;
    int policy;
    CHECK(pthread_getschedparam(pthread_self(), &policy, &own) == 0);
    CHECK(sched_getparam(0, &raised) == 0);
    printf("%s: policy %d, priority %d, raised to %d\n", when, policy, own.sched_priority,
           raised.sched_priority);
}

static void *takes(void *arg)
{
    CHECK(pthread_mutex_lock(&protect) == 0);
    CHECK(pthread_mutex_unlock(&protect) == 0);
    return arg;
}

static void raises(void)
{
    struct sched_param param = {.sched_priority = 4};
    struct timespec soon = {0};
    pthread_t t;
    int old;
    make(&protect, PTHREAD_PRIO_PROTECT);
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) != 0)
        return;
    CHECK(pthread_mutex_setprioceiling(&protect, 6, &old) == 0);
    CHECK(pthread_mutex_trylock(&protect) == 0);
    tell_priority("tried");
    CHECK(pthread_mutex_unlock(&protect) == 0);
    CHECK(pthread_mutex_timedlock(&protect, &soon) == 0);
    CHECK(pthread_mutex_unlock(&protect) == 0);
    CHECK(pthread_mutex_lock(&protect) == 0);
    CHECK(pthread_mutex_lock(&protect) == EDEADLK);
    tell_priority("locked");
    t = spawn(takes, NULL);
    usleep(20000);
    tell_priority("with a thread");
    CHECK(pthread_mutex_unlock(&protect) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    tell_priority("unlocked");
    param.sched_priority = 0;
    CHECK(pthread_setschedparam(pthread_self(), SCHED_OTHER, &param) == 0);
    CHECK(pthread_mutex_destroy(&protect) == 0);
}

int main(void)
{
    pthread_t t[20];
    int ceiling;
    raises();
    make(&pi, PTHREAD_PRIO_INHERIT);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(adds, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_mutex_lock(&pi) == 0 && pthread_mutex_lock(&pi) == EDEADLK);
    CHECK(pthread_join(spawn(late, NULL), NULL) == 0);
    CHECK(pthread_mutex_unlock(&pi) == 0 && pthread_mutex_destroy(&pi) == 0);
    make(&protect, PTHREAD_PRIO_PROTECT);
    CHECK(pthread_mutex_getprioceiling(&protect, &ceiling) == 0 && ceiling >= 1);
    CHECK(pthread_mutex_destroy(&protect) == 0);
    printf("counter %d\n", counter);
    return 0;
}
