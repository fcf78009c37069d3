// Proves: an asynchronously cancellable thread is stopped in the middle of a computation without
// any call.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static sem_t ready;
static volatile unsigned long spins;

static void *spin(void *arg)
{
    int old;
    (void)arg;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    sem_post(&ready);
    for (;;)
        spins++;
    return NULL;
}

int main(void)
{
    pthread_t t;
    void *result;
    CHECK(sem_init(&ready, 0, 0) == 0);
    CHECK(pthread_create(&t, NULL, spin, NULL) == 0);
    CHECK(sem_wait(&ready) == 0);
    usleep(30000);
    CHECK(pthread_cancel(t) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    puts("stopped");
    return 0;
}
