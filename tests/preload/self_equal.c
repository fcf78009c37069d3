// Proves: pthread_self is unique among living threads, constant over a thread's life and equal to
// what pthread_create stored.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 300 };

static pthread_t self[THREADS], created[THREADS];
static pthread_barrier_t gate;

static void *body(void *arg)
{
    pthread_t *mine = arg;
    *mine = pthread_self();
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 10; i++) {
        sched_yield();
        CHECK(pthread_equal(*mine, pthread_self()));
    }
    usleep(1000);
    CHECK(pthread_equal(*mine, pthread_self()));
    pthread_barrier_wait(&gate);
    return mine;
}

int main(void)
{
    pthread_t me = pthread_self();
    void *result;
    CHECK(pthread_barrier_init(&gate, NULL, THREADS + 1) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&created[i], NULL, body, &self[i]) == 0);
    pthread_barrier_wait(&gate);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_equal(self[i], created[i]));
        CHECK(!pthread_equal(self[i], me));
        for (int j = 0; j < i; j++)
            CHECK(!pthread_equal(self[i], self[j]));
    }
    pthread_barrier_wait(&gate);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(created[i], &result) == 0 && result == &self[i]);
    CHECK(pthread_equal(me, pthread_self()));
    puts("pthread_self ok");
    return 0;
}
