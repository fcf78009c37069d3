// Proves: pthread keys hold a value per thread, also beyond the first 32 and when made after the
// threads; destructors run in up to PTHREAD_DESTRUCTOR_ITERATIONS rounds; deleted keys run none.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { KEYS = 100, THREADS = 50 };

static pthread_key_t keys[KEYS], again, late, deleted;
static pthread_barrier_t gate;
static atomic_int destroyed, rounds, late_destroyed;

static void count(void *value)
{
    CHECK(value != NULL);
    atomic_fetch_add(&destroyed, 1);
}

static void count_late(void *value)
{
    CHECK((intptr_t)value >= 5000);
    CHECK(pthread_getspecific(late) == NULL);
    atomic_fetch_add(&late_destroyed, 1);
}

static void set_again(void *value)
{
    atomic_fetch_add(&rounds, 1);
    CHECK(pthread_setspecific(again, value) == 0);
}

static void never(void *value)
{
    (void)value;
    CHECK(!"destructor of a deleted key");
}

static void *body(void *arg)
{
    intptr_t id = (intptr_t)arg;
    for (int k = 0; k < KEYS; k++)
        CHECK(pthread_getspecific(keys[k]) == NULL);
    for (int k = 0; k < KEYS; k++)
        CHECK(pthread_setspecific(keys[k], (void *)(id * KEYS + k + 1)) == 0);
    CHECK(pthread_setspecific(again, arg) == 0);
    CHECK(pthread_setspecific(deleted, arg) == 0);
    pthread_barrier_wait(&gate); // the main thread now makes `late` and deletes `deleted`
    pthread_barrier_wait(&gate);
    CHECK(pthread_getspecific(late) == NULL);
    CHECK(pthread_setspecific(late, (void *)(id + 5000)) == 0);
    usleep(500);
    for (int k = 0; k < KEYS; k++)
        CHECK(pthread_getspecific(keys[k]) == (void *)(id * KEYS + k + 1));
    CHECK(pthread_getspecific(late) == (void *)(id + 5000));
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    for (int k = 0; k < KEYS; k++)
        CHECK(pthread_key_create(&keys[k], k % 2 ? count : NULL) == 0);
    CHECK(pthread_key_create(&again, set_again) == 0);
    CHECK(pthread_key_create(&deleted, never) == 0);
    CHECK(pthread_barrier_init(&gate, NULL, THREADS + 1) == 0);
    CHECK(pthread_setspecific(keys[40], &gate) == 0);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(body, (void *)(intptr_t)(i + 1));
    pthread_barrier_wait(&gate);
    CHECK(pthread_key_create(&late, count_late) == 0);
    CHECK(pthread_key_delete(deleted) == 0);
    pthread_barrier_wait(&gate);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_getspecific(keys[40]) == &gate);
    printf("destroyed %d late %d rounds per thread %d of %d\n", destroyed, late_destroyed,
           rounds / THREADS, PTHREAD_DESTRUCTOR_ITERATIONS);
    CHECK(pthread_key_delete(keys[0]) == 0);
    CHECK(pthread_key_delete(keys[0]) == EINVAL);
    CHECK(pthread_setspecific(keys[0], &gate) == EINVAL);
    CHECK(pthread_getspecific(keys[0]) == NULL);
    return 0;
}
