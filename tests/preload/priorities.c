// Proves: on one processor threads with real-time priorities run, and get what they wait for, highest first and
// at once; those of equal priority in the order they came; the lower ones are not forgotten.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

#define MAIN 30

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int open_gate;
static volatile int stop;

static void note(void *priority)
{
    printf(" %d", (int)(intptr_t)priority);
}

static void *runs(void *priority)
{
    note(priority);
    return NULL;
}

static void *locks(void *priority)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
    note(priority);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    return NULL;
}

static void *waits(void *priority)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
    while (!open_gate)
        CHECK(pthread_cond_wait(&cond, &mutex) == 0);
    note(priority);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    return NULL;
}

static void *takes(void *priority)
{
    CHECK(sem_wait(&sem) == 0);
    note(priority);
    return NULL;
}

static void *spins(void *arg)
{
    while (!stop)
        sched_yield();
    return arg;
}

static void *stops(void *arg)
{
    stop = 1;
    return arg;
}

static pthread_t start(int policy, int priority, void *(*body)(void *))
{
    pthread_t t;
    pthread_attr_t a;
    struct sched_param param = {.sched_priority = priority};
    CHECK(pthread_attr_init(&a) == 0);
    CHECK(pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED) == 0);
    CHECK(pthread_attr_setschedpolicy(&a, policy) == 0);
    CHECK(pthread_attr_setschedparam(&a, &param) == 0);
    CHECK(pthread_create(&t, &a, body, (void *)(intptr_t)priority) == 0);
    CHECK(pthread_attr_destroy(&a) == 0);
    return t;
}

static void lock(void)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
}

static void unlock(void)
{
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

static void post(void)
{
    for (int i = 0; i < 4; i++) {
        CHECK(sem_post(&sem) == 0);
        printf(" posted");
    }
}

static void open_wide(void)
{
    lock();
    open_gate = 1;
    CHECK(pthread_cond_broadcast(&cond) == 0);
    unlock();
}

/* Four threads come to wait, lower ones than main only while it sleeps. */
static void round_of(const char *what, void *(*body)(void *), void (*before)(void),
                     void (*release)(void))
{
    static const int priorities[4] = {5, 40, 20, 40};
    pthread_t t[4];
    printf("%s:", what);
    if (before)
        before();
    for (int i = 0; i < 4; i++) {
        t[i] = start(SCHED_FIFO, priorities[i], body);
        usleep(20000);
    }
    printf(" |");
    if (release)
        release();
    printf(" |");
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("");
}

static bool allowed(void)
{
    struct sched_param high = {.sched_priority = MAIN}, none = {0};
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &high) == 0 &&
           pthread_setschedparam(pthread_self(), SCHED_OTHER, &none) == 0;
}

static void become_main(void)
{
    cpu_set_t one;
    struct sched_param param = {.sched_priority = MAIN};
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0);
}

/* On whatever processors there are. */
static void not_forgotten(void)
{
    pthread_t t[2] = {start(SCHED_FIFO, 1, spins), start(SCHED_OTHER, 0, stops)};
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

int main(void)
{
    pthread_t t[4];
    if (!allowed()) {
        puts("no real-time priorities here");
        return 0;
    }
    not_forgotten();
    become_main();
    CHECK(sem_init(&sem, 0, 0) == 0);
    printf("run:");
    for (int i = 0; i < 4; i++) {
        t[i] = start(SCHED_RR, (int[]){10, 50, 25, 10}[i], runs);
        printf(" created");
    }
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("");
    round_of("mutex", locks, lock, unlock);
    round_of("condition", waits, NULL, open_wide);
    round_of("semaphore", takes, NULL, post);
    puts("priorities ok");
    return 0;
}
