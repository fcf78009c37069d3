// Proves: a mutex excludes: many threads add to one counter, also across switches inside the
// critical section.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 64, TURNS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static int inside;

static void *body(void *arg)
{
    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        if (i % 3 == 0) {
            while (pthread_mutex_trylock(&lock) == EBUSY)
                sched_yield();
        } else {
            CHECK(pthread_mutex_lock(&lock) == 0);
        }
        CHECK(inside++ == 0);
        long seen = counter;
        if (i % 100 == 0)
            sched_yield();
        if (i % 500 == 0)
            usleep(50);
        counter = seen + 1;
        CHECK(--inside == 0);
        CHECK(pthread_mutex_unlock(&lock) == 0);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(body, NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("counter %ld\n", counter);
    return 0;
}
