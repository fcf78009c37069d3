// Proves: pthread attributes: stack size is honoured, a caller's own stack is used,
// pthread_getattr_np tells the true bounds, detach state, and the errors of bad values.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    return NULL;
}

int main(void)
{
    pthread_attr_t a;
    pthread_t t;
    int state;
    size_t size;
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
    CHECK(munmap(own, own_size) == 0);
    CHECK(pthread_attr_destroy(&a) == 0);
    puts("attributes ok");
    return 0;
}
