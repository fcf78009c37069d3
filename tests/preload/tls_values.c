// Proves: __thread variables start from their initialisers in every thread, also in later threads
// that may reuse a dead one's memory, and keep their values across switches.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 200, GENERATIONS = 3, TURNS = 20 };

static __thread int zero;
static __thread int initial = 42;
static __thread char text[64] = "untouched";
static __thread double aligned __attribute__((aligned(64))) = 2.5;
static __thread int *self_pointer;
static pthread_barrier_t all_alive;
static int *addresses[THREADS];

static void fresh(void)
{
    CHECK(zero == 0);
    CHECK(initial == 42);
    CHECK(strcmp(text, "untouched") == 0);
    CHECK(aligned == 2.5);
    CHECK((uintptr_t)&aligned % 64 == 0);
    CHECK(self_pointer == NULL);
}

static void *body(void *arg)
{
    int id = (int)(intptr_t)arg;
    char mine[64];
    fresh();
    addresses[id] = &zero;
    zero = id + 1;
    initial = -id;
    aligned = id * 0.5;
    self_pointer = &zero;
    snprintf(mine, sizeof mine, "thread %d", id);
    strcpy(text, mine);
    pthread_barrier_wait(&all_alive);
    for (int i = 0; i < TURNS; i++) {
        i % 4 ? sched_yield() : usleep(100);
        CHECK(zero == id + 1 && initial == -id && aligned == id * 0.5);
        CHECK(strcmp(text, mine) == 0);
        CHECK(self_pointer == &zero);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    fresh();
    CHECK(pthread_barrier_init(&all_alive, NULL, THREADS) == 0);
    for (int g = 0; g < GENERATIONS; g++) {
        for (int i = 0; i < THREADS; i++)
            t[i] = spawn(body, (void *)(intptr_t)i);
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_join(t[i], NULL) == 0);
        for (int i = 0; i < THREADS; i++)
            for (int j = 0; j < i; j++)
                CHECK(addresses[i] != addresses[j]);
    }
    fresh();
    puts("__thread ok");
    return 0;
}
