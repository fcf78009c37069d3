// env: EVY_LOG=off
// Proves: pthread attributes: stack size is honoured, a caller's own stack is used,
// pthread_getattr_np tells the true bounds, who uses more than was asked for faults, detach state, and the
// errors of bad values.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char *own;
static size_t own_size = 512 * 1024;

static void bounds(char **low, size_t *size)
{
    pthread_attr_t a;
    void *base;
    CHECK(pthread_getattr_np(pthread_self(), &a) == 0);
    CHECK(pthread_attr_getstack(&a, &base, size) == 0);
    *low = base;
    CHECK(pthread_attr_destroy(&a) == 0);
}

static void *sized(void *arg)
{
    size_t want = (size_t)(uintptr_t)arg, size;
    char *low, here;
    bounds(&low, &size);
    CHECK(&here > low && &here < low + size);
    CHECK(size >= want);
    volatile char use[want / 2];
    for (size_t i = 0; i < want / 2; i += 512)
        use[i] = (char)i;
    return (void *)(uintptr_t)(use[512] + size);
}

static void *on_own(void *arg)
{
    char here, *low;
    size_t size;
    (void)arg;
    CHECK(&here > own && &here < own + own_size);
    bounds(&low, &size);
    CHECK(low == own && size == own_size);
    CHECK(sched_getscheduler(gettid()) == SCHED_OTHER);
    return NULL;
}

/* Uses as much as it is told, from here on. */
static __attribute__((noinline)) int dig(const volatile char *from, size_t depth)
{
    volatile char here[64] = {1};
    return (size_t)(from - here) < depth ? dig(from, depth) + here[0] : 0;
}

static void *digger(void *arg)
{
    const volatile char here = 0;
    return (void *)(intptr_t)dig(&here, (size_t)(uintptr_t)arg);
}

/* In a process of its own: the signal that ends it, or 0. */
static int dig_apart(size_t size, size_t depth)
{
    int status;
    pthread_t t;
    pthread_attr_t a;
    pid_t child = fork();
    if (child == 0) {
        CHECK(pthread_attr_init(&a) == 0 && pthread_attr_setstacksize(&a, size) == 0);
        CHECK(pthread_create(&t, &a, digger, (void *)(uintptr_t)depth) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void overflows(void)
{
    size_t sizes[] = {PTHREAD_STACK_MIN, 40000,   64 * 1024, 200 * 1024,
                      1 << 20,           2 << 20, 3000000,   8 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        printf("%zu: signal %d, signal %d\n", sizes[i], dig_apart(sizes[i], sizes[i] - 6000),
               dig_apart(sizes[i], sizes[i]));
}

static void *tells(void *asked)
{
    pthread_attr_t a;
    size_t size, guard;
    void *low;
    int inherit, detached;
    CHECK(pthread_getattr_np(pthread_self(), &a) == 0);
    CHECK(pthread_attr_getstack(&a, &low, &size) == 0);
    CHECK(pthread_attr_getguardsize(&a, &guard) == 0);
    CHECK(pthread_attr_getinheritsched(&a, &inherit) == 0);
    CHECK(pthread_attr_getdetachstate(&a, &detached) == 0);
    printf("%zu asked: %zu bytes, guard %zu, scheduling inherited %d, detached %d\n", (size_t)asked,
           size, guard, inherit == PTHREAD_INHERIT_SCHED, detached);
    CHECK(*(volatile char *)low == 0 && pthread_attr_destroy(&a) == 0);
    return NULL;
}

/* What a thread tells of its stack, of sizes that no page and no alignment divides, too. */
static void told(void)
{
    pthread_t t;
    pthread_attr_t a;
    const size_t sizes[] = {PTHREAD_STACK_MIN, PTHREAD_STACK_MIN + 1, 20000, 100001, 1 << 20};
    const size_t guards[] = {0, 1, 4096, 5000, 8192};
    CHECK(pthread_attr_init(&a) == 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int explicit = i % 2 ? PTHREAD_EXPLICIT_SCHED : PTHREAD_INHERIT_SCHED;
        CHECK(pthread_attr_setinheritsched(&a, explicit) == 0);
        CHECK(pthread_attr_setstacksize(&a, sizes[i]) == 0);
        CHECK(pthread_attr_setguardsize(&a, guards[i]) == 0);
        CHECK(pthread_create(&t, &a, tells, (void *)sizes[i]) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    CHECK(pthread_attr_destroy(&a) == 0);
}

int main(void)
{
    pthread_attr_t a;
    pthread_t t;
    int state;
    size_t size;
    overflows(); /* before there are stacks that libc would use again */
    told();
    CHECK(pthread_attr_init(&a) == 0);
    size_t sizes[] = {PTHREAD_STACK_MIN + 16384, 64 * 1024, 256 * 1024, 1 << 20, 32 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK(pthread_attr_setstacksize(&a, sizes[i]) == 0);
        CHECK(pthread_attr_getstacksize(&a, &size) == 0 && size == sizes[i]);
        CHECK(pthread_create(&t, &a, sized, (void *)(uintptr_t)sizes[i]) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    CHECK(pthread_attr_setstacksize(&a, 100) == EINVAL);
    CHECK(pthread_attr_setdetachstate(&a, 99) == EINVAL);
    CHECK(pthread_attr_getdetachstate(&a, &state) == 0 && state == PTHREAD_CREATE_JOINABLE);
    own = mmap(NULL, own_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(own != MAP_FAILED);
    for (int i = 0; i < 20; i++) { // the same memory for one thread after the other
        CHECK(pthread_attr_setstack(&a, own, own_size) == 0);
        CHECK(pthread_create(&t, &a, on_own, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    pid_t child = fork(); // which looks at all threads there have been
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(munmap(own, own_size) == 0);
    CHECK(pthread_attr_destroy(&a) == 0);
    puts("attributes ok");
    return 0;
}
