// Proves: 10,000 threads with 64 KB stacks wait on one condition at once; one broadcast frees all
// and all are joined.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 10000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t parked = PTHREAD_COND_INITIALIZER, go = PTHREAD_COND_INITIALIZER;
static int waiting, released;
static pthread_t t[THREADS];

static void *body(void *arg)
{
    pthread_mutex_lock(&lock);
    if (++waiting == THREADS)
        pthread_cond_signal(&parked);
    while (!released)
        pthread_cond_wait(&go, &lock);
    waiting--;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_attr_t a;
    void *result;
    CHECK(pthread_attr_init(&a) == 0 && pthread_attr_setstacksize(&a, 64 * 1024) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], &a, body, (void *)(intptr_t)i) == 0);
    pthread_mutex_lock(&lock);
    while (waiting < THREADS)
        pthread_cond_wait(&parked, &lock);
    printf("%d parked\n", waiting);
    released = 1;
    pthread_cond_broadcast(&go);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], &result) == 0 && result == (void *)(intptr_t)i);
    printf("%d left\n", waiting);
    return 0;
}
