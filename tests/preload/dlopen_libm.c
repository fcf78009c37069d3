// flags: -ldl
// Proves: libraries are opened and looked up by threads while others live; dlerror is per thread;
// a pthread_create found by dlsym in a dlopened libc handle or through RTLD_DEFAULT makes a thread
// like any other.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_barrier_t gate;
static __thread int tls = 5;

static void *opener(void *arg)
{
    void *m = dlopen("libm.so.6", RTLD_NOW);
    CHECK(m != NULL);
    double (*cosine)(double) = (double (*)(double))(uintptr_t)dlsym(m, "cos");
    CHECK(cosine && cosine(0) == 1);
    CHECK(dlsym(m, (intptr_t)arg % 2 ? "no_such_a" : "no_such_b") == NULL);
    sched_yield();
    const char *error = dlerror();
    CHECK(error && strstr(error, (intptr_t)arg % 2 ? "no_such_a" : "no_such_b"));
    CHECK(dlclose(m) == 0);
    pthread_barrier_wait(&gate);
    CHECK(tls == 5);
    return arg;
}

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int join_fn(pthread_t, void **);

static void through(void *handle)
{
    pthread_t t;
    void *result;
    create_fn *create = (create_fn *)(uintptr_t)dlsym(handle, "pthread_create");
    join_fn *join = (join_fn *)(uintptr_t)dlsym(handle, "pthread_join");
    CHECK(create && join);
    CHECK(pthread_barrier_init(&gate, NULL, 2) == 0);
    CHECK(create(&t, NULL, opener, (void *)1) == 0);
    pthread_barrier_wait(&gate);
    CHECK(join(t, &result) == 0 && result == (void *)1);
}

int main(void)
{
    pthread_t t[20];
    CHECK(pthread_barrier_init(&gate, NULL, 20) == 0);
    for (intptr_t i = 0; i < 20; i++)
        CHECK(pthread_create(&t[i], NULL, opener, (void *)i) == 0);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    through(RTLD_DEFAULT);
    void *self = dlopen(NULL, RTLD_NOW), *libc = dlopen("libc.so.6", RTLD_NOW);
    CHECK(self && libc);
    through(self);
    through(libc);
    puts("dlopen ok");
    return 0;
}
