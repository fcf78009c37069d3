// flags: -ldl -Wl,-rpath,$ORIGIN/lib
// Proves: a library with initial-exec TLS opened while threads live has its initial values on all of them, those
// that ended and come again included, before its constructors run, which may make threads; each thread's values
// are its own; thread_local destructors run; closed and opened again it begins afresh. It is found by the
// program's run path, by $ORIGIN and in a namespace of its own.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "check.h"

#define THREADS 50

static pthread_barrier_t gate;
static bool (*fresh)(void);
static void (*take)(int);
static bool (*has)(int);
static void (*own_object)(void);
static int (*ended)(void);

static void *find(void *lib, const char *name)
{
    void *symbol = dlsym(lib, name);
    CHECK(symbol != NULL);
    return symbol;
}

static void *open_library(const char *name)
{
    void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    CHECK(lib != NULL);
    fresh = (bool (*)(void))(uintptr_t)find(lib, "tls_fresh");
    take = (void (*)(int))(uintptr_t)find(lib, "tls_take");
    has = (bool (*)(int))(uintptr_t)find(lib, "tls_has");
    own_object = (void (*)(void))(uintptr_t)find(lib, "tls_own_object");
    ended = (int (*)(void))(uintptr_t)find(lib, "tls_ended");
    return lib;
}

static void check_values(int number)
{
    CHECK(fresh());
    take(number);
    pthread_barrier_wait(&gate);
    CHECK(has(number));
}

/* Lives through three openings by main or by number 1. */
static void *liver(void *arg)
{
    int number = (int)(intptr_t)arg;
    for (int round = 0; round < 3; round++) {
        void *lib = NULL;
        pthread_barrier_wait(&gate);
        if (number == 1)
            lib = open_library(round ? "tls.so" : "$ORIGIN/lib/tls.so");
        pthread_barrier_wait(&gate);
        check_values(1000 + number);
        if (round == 2)
            own_object();
        pthread_barrier_wait(&gate);
        if (lib && round < 2) {
            CHECK(dlclose(lib) == 0);
            CHECK(dlopen("tls.so", RTLD_NOW | RTLD_NOLOAD) == NULL);
        }
    }
    return NULL;
}

static void *ender(void *arg)
{
    CHECK(fresh());
    take((int)(intptr_t)arg);
    own_object();
    return NULL;
}

static void *passer(void *arg)
{
    return arg;
}

static void run(void *(*body)(void *))
{
    pthread_t t[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        t[i] = spawn(body, (void *)i);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

int main(void)
{
    CHECK(pthread_barrier_init(&gate, NULL, THREADS) == 0);
    run(passer);
    run(liver);
    printf("destructors %d\n", ended());
    run(ender);
    printf("destructors %d\n", ended());
    CHECK(dlmopen(LM_ID_NEWLM, "libm.so.6", RTLD_NOW) != NULL);
    puts("dlopen_tls ok");
    return 0;
}
