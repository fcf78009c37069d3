// Proves: detached threads (attribute, call from outside, call on oneself) run to their end and
// free themselves.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static sem_t finished;

static void *body(void *arg)
{
    if (arg)
        CHECK(pthread_detach(pthread_self()) == 0);
    usleep(100);
    sem_post(&finished);
    return NULL;
}

int main(void)
{
    pthread_attr_t a;
    pthread_t t;
    sem_init(&finished, 0, 0);
    CHECK(pthread_attr_init(&a) == 0);
    CHECK(pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED) == 0);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 60; i++) {
            if (i % 3 == 0) {
                CHECK(pthread_create(&t, &a, body, NULL) == 0);
            } else if (i % 3 == 1) {
                spawn(body, &finished);
            } else {
                CHECK(pthread_detach(spawn(body, NULL)) == 0);
            }
        }
        for (int i = 0; i < 60; i++)
            CHECK(sem_wait(&finished) == 0);
    }
    puts("detached 1200");
    return 0;
}
