// Proves: once a thread has disabled its alternate signal stack, or has ended, nothing is written there, on whichever
// kernel threads it has been: signals sent to all of them (libc's, for setgid) go elsewhere.
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define SIZE 65536

static atomic_int computing = 1;

/* Without a call that libevy sees: the hub goes on without the caller. */
static void compute(double seconds)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9 <
           seconds);
}

static void *others(void *arg)
{
    while (computing)
        usleep(1000);
    return arg;
}

static int untouched(const char *memory)
{
    for (int i = 0; i < SIZE; i++)
        if (memory[i])
            return 0;
    return 1;
}

static void *disables(void *arg)
{
    stack_t alt = {.ss_sp = arg, .ss_size = SIZE};
    CHECK(sigaltstack(&alt, NULL) == 0);
    compute(0.1);
    usleep(1000);
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
    CHECK(setgid(getgid()) == 0);
    CHECK(untouched(arg));
    return arg;
}

static void *ends(void *arg)
{
    stack_t alt = {.ss_sp = arg, .ss_size = SIZE};
    CHECK(sigaltstack(&alt, NULL) == 0);
    compute(0.1);
    usleep(1000);
    return arg;
}

int main(void)
{
    char *memory = calloc(2, SIZE);
    pthread_t t = spawn(others, NULL);
    pthread_join(spawn(disables, memory), NULL);
    pthread_join(spawn(ends, memory + SIZE), NULL);
    CHECK(setgid(getgid()) == 0);
    CHECK(untouched(memory + SIZE));
    computing = 0;
    pthread_join(t, NULL);
    puts("ok");
    return 0;
}
