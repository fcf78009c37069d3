// Proves: spin locks exclude and never wedge the program when the holder switches away inside the
// lock.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 20, TURNS = 300 };

static pthread_spinlock_t lock;
static long counter;

static void *body(void *arg)
{
    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        if (i % 4 == 0)
            while (pthread_spin_trylock(&lock) == EBUSY)
                sched_yield();
        else
            CHECK(pthread_spin_lock(&lock) == 0);
        long seen = counter;
        if (i % 100 == 50)
            usleep(50);
        counter = seen + 1;
        CHECK(pthread_spin_unlock(&lock) == 0);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    CHECK(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, body, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_spin_destroy(&lock) == 0);
    printf("counter %ld\n", counter);
    return 0;
}
