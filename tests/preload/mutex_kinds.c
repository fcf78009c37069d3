// Proves: recursive, errorcheck, normal and adaptive mutexes know their owner thread: EBUSY,
// EDEADLK, EPERM and depth.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t normal = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static int depth_counter;

static void *stranger(void *arg)
{
    (void)arg;
    CHECK(pthread_mutex_trylock(&normal) == EBUSY);
    CHECK(pthread_mutex_trylock(&recursive) == EBUSY);
    CHECK(pthread_mutex_trylock(&checked) == EBUSY);
    CHECK(pthread_mutex_trylock(&adaptive) == EBUSY);
    CHECK(pthread_mutex_unlock(&recursive) == EPERM);
    CHECK(pthread_mutex_unlock(&checked) == EPERM);
    return NULL;
}

static void *nested(void *arg)
{
    for (int i = 0; i < 50; i++) {
        int depth = 1 + (i + (int)(intptr_t)arg) % 5;
        for (int d = 0; d < depth; d++)
            CHECK(pthread_mutex_lock(&recursive) == 0);
        int before = depth_counter;
        if (i % 10 == 0)
            usleep(100);
        depth_counter = before + 1; // a second owner would lose this update
        for (int d = 0; d < depth; d++)
            CHECK(pthread_mutex_unlock(&recursive) == 0);
    }
    return NULL;
}

static void dynamic(int kind)
{
    pthread_mutexattr_t a;
    pthread_mutex_t m;
    int got;
    CHECK(pthread_mutexattr_init(&a) == 0);
    CHECK(pthread_mutexattr_settype(&a, kind) == 0);
    CHECK(pthread_mutexattr_gettype(&a, &got) == 0 && got == kind);
    CHECK(pthread_mutex_init(&m, &a) == 0);
    CHECK(pthread_mutexattr_destroy(&a) == 0);
    CHECK(pthread_mutex_lock(&m) == 0);
    CHECK(pthread_mutex_trylock(&m) == (kind == PTHREAD_MUTEX_RECURSIVE ? 0 : EBUSY));
    CHECK(pthread_mutex_destroy(&m) == EBUSY);
    CHECK(pthread_mutex_unlock(&m) == 0);
    if (kind == PTHREAD_MUTEX_RECURSIVE)
        CHECK(pthread_mutex_unlock(&m) == 0);
    CHECK(pthread_mutex_destroy(&m) == 0);
}

int main(void)
{
    pthread_t t[30];
    CHECK(pthread_mutex_lock(&normal) == 0);
    CHECK(pthread_mutex_lock(&recursive) == 0);
    CHECK(pthread_mutex_lock(&recursive) == 0);
    CHECK(pthread_mutex_lock(&checked) == 0);
    CHECK(pthread_mutex_lock(&checked) == EDEADLK);
    CHECK(pthread_mutex_lock(&adaptive) == 0);
    CHECK(pthread_join(spawn(stranger, NULL), NULL) == 0);
    CHECK(pthread_mutex_unlock(&recursive) == 0);
    CHECK(pthread_join(spawn(stranger, NULL), NULL) == 0);
    CHECK(pthread_mutex_unlock(&recursive) == 0);
    CHECK(pthread_mutex_unlock(&recursive) == EPERM);
    CHECK(pthread_mutex_unlock(&checked) == 0);
    CHECK(pthread_mutex_unlock(&checked) == EPERM);
    CHECK(pthread_mutex_unlock(&normal) == 0);
    CHECK(pthread_mutex_unlock(&adaptive) == 0);
    for (int i = 0; i < 30; i++)
        t[i] = spawn(nested, (void *)(intptr_t)i);
    for (int i = 0; i < 30; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(depth_counter == 30 * 50);
    dynamic(PTHREAD_MUTEX_NORMAL);
    dynamic(PTHREAD_MUTEX_RECURSIVE);
    dynamic(PTHREAD_MUTEX_ERRORCHECK);
    dynamic(PTHREAD_MUTEX_ADAPTIVE_NP);
    puts("mutex kinds ok");
    return 0;
}
