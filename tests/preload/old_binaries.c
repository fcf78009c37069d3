// Proves: names that only programs linked long ago import are hooked as well.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#ifdef __aarch64__
#define OLD "GLIBC_2.17"
#else
#define OLD "GLIBC_2.2.5"
#endif

/* Declares name as such a program would have it: with the version it had then. */
#define BIND(name, ret, ...)                                                                       \
    ret old_##name(__VA_ARGS__);                                                                   \
    __asm__(".symver old_" #name ",__" #name "@" OLD)

BIND(pthread_mutex_lock, int, pthread_mutex_t *m);
BIND(pthread_mutex_trylock, int, pthread_mutex_t *m);
BIND(pthread_mutex_unlock, int, pthread_mutex_t *m);
BIND(pthread_mutex_destroy, int, pthread_mutex_t *m);
BIND(pthread_rwlock_rdlock, int, pthread_rwlock_t *l);
BIND(pthread_rwlock_wrlock, int, pthread_rwlock_t *l);
BIND(pthread_rwlock_tryrdlock, int, pthread_rwlock_t *l);
BIND(pthread_rwlock_trywrlock, int, pthread_rwlock_t *l);
BIND(pthread_rwlock_unlock, int, pthread_rwlock_t *l);
BIND(pthread_once, int, pthread_once_t *once, void (*init)(void));
int old_yield(void);
__asm__(".symver old_yield,pthread_yield@" OLD);

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int counter, inits;

static void init(void)
{
    inits++;
}

static void *count(void *arg)
{
    for (int i = 0; i < 100; i++) {
        CHECK(old_pthread_once(&once, init) == 0);
        CHECK(old_pthread_mutex_lock(&m) == 0);
        int seen = counter;
        CHECK(old_yield() == 0);
        counter = seen + 1;
        CHECK(old_pthread_mutex_trylock(&m) == EBUSY && old_pthread_mutex_unlock(&m) == 0);
        CHECK(old_pthread_rwlock_rdlock(&l) == 0);
        CHECK(old_pthread_rwlock_trywrlock(&l) == EBUSY && old_pthread_rwlock_unlock(&l) == 0);
        CHECK(old_pthread_rwlock_wrlock(&l) == 0);
        CHECK(old_pthread_rwlock_tryrdlock(&l) == EBUSY && old_pthread_rwlock_unlock(&l) == 0);
    }
    return arg;
}

int main(void)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, count, NULL) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(old_pthread_mutex_destroy(&m) == 0);
    printf("counted %d, initialised %d time\n", counter, inits);
    return 0;
}
