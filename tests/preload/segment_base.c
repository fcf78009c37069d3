// Proves: the segment base that a program sets for a thread, by the instruction or by arch_prctl, stays that thread's
// through waits, yields and long computations, and new threads inherit it.
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "check.h"

enum { THREADS = 12, TURNS = 20 };

#ifdef __x86_64__
#include <asm/prctl.h>

int arch_prctl(int code, unsigned long address);

static void set_base(const long *to, int how)
{
    if (how == 0 && getauxval(AT_HWCAP2) & 2)
        __asm__ volatile("wrgsbase %0" : : "r"(to) : "memory");
    else if (how == 1)
        CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, to) == 0);
    else
        CHECK(arch_prctl(ARCH_SET_GS, (unsigned long)to) == 0);
}

static long at_base(void)
{
    long value;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(value));
    return value;
}
#else
static __thread const long *base;

static void set_base(const long *to, int how)
{
    (void)how;
    base = to;
}

static long at_base(void)
{
    return *base;
}
#endif

static long values[THREADS + 1];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *heir(void *arg)
{
#ifdef __x86_64__
    CHECK(at_base() == *(long *)arg);
#endif
    usleep(1000);
    return arg;
}

static void computes(void)
{
    double end = now() + 0.03;
    while (now() < end)
        ;
}

static void *body(void *arg)
{
    long *mine = arg;
    int number = (int)(mine - values);
    *mine = number + 1000;
    set_base(mine, number % 3);
    for (int i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&lock);
        sched_yield();
        pthread_mutex_unlock(&lock);
        CHECK(at_base() == *mine);
        usleep(500);
        CHECK(at_base() == *mine);
        if (i == number)
            computes();
        CHECK(at_base() == *mine);
    }
    CHECK(pthread_join(spawn(heir, mine), NULL) == 0);
    CHECK(at_base() == *mine);
    return arg;
}

int main(void)
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(body, &values[i]);
    body(&values[THREADS]);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("each its own");
    return 0;
}
