// Proves: a signal wakes at least one waiter, a broadcast all, and no wake-up is lost between
// unlock and wait: a bounded queue with several producers and consumers passes every item exactly
// once.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { PRODUCERS = 8, CONSUMERS = 12, ITEMS = 3000, ROOM = 5 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queue[ROOM], used, head, ended, waiting, released;
static long sum;
static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;

static void *produce(void *arg)
{
    for (int i = 0; i < ITEMS; i++) {
        pthread_mutex_lock(&lock);
        while (used == ROOM)
            CHECK(pthread_cond_wait(&not_full, &lock) == 0);
        queue[(head + used++) % ROOM] = (int)(intptr_t)arg * ITEMS + i;
        if (i % 2)
            CHECK(pthread_cond_signal(&not_empty) == 0);
        pthread_mutex_unlock(&lock);
        if (i % 2 == 0)
            CHECK(pthread_cond_signal(&not_empty) == 0); // outside the lock is legal too
    }
    return NULL;
}

static void *consume(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (used == 0 && !ended)
            CHECK(pthread_cond_wait(&not_empty, &lock) == 0);
        if (used == 0)
            break;
        sum += queue[head];
        head = (head + 1) % ROOM;
        used--;
        pthread_cond_signal(&not_full);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *wait_at_gate(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    waiting++;
    while (!released)
        CHECK(pthread_cond_wait(&gate, &lock) == 0);
    waiting--;
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(void)
{
    pthread_t p[PRODUCERS], c[CONSUMERS], g[200];
    for (int i = 0; i < CONSUMERS; i++)
        c[i] = spawn(consume, NULL);
    for (int i = 0; i < PRODUCERS; i++)
        p[i] = spawn(produce, (void *)(intptr_t)i);
    for (int i = 0; i < PRODUCERS; i++)
        CHECK(pthread_join(p[i], NULL) == 0);
    pthread_mutex_lock(&lock);
    ended = 1;
    pthread_cond_broadcast(&not_empty);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < CONSUMERS; i++)
        CHECK(pthread_join(c[i], NULL) == 0);
    printf("sum %ld\n", sum);
    for (int i = 0; i < 200; i++)
        g[i] = spawn(wait_at_gate, NULL);
    for (int ready = 0; !ready; usleep(1000)) {
        pthread_mutex_lock(&lock);
        ready = waiting == 200;
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    released = 1;
    pthread_cond_broadcast(&gate);
    CHECK(waiting == 200); // nobody leaves before the mutex is free
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 200; i++)
        CHECK(pthread_join(g[i], NULL) == 0);
    CHECK(waiting == 0);
    CHECK(pthread_cond_destroy(&gate) == 0);
    puts("signal and broadcast ok");
    return 0;
}
