// Proves: pthread_once runs its routine once; other callers wait until it has finished, even when
// it sleeps.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_once_t once = PTHREAD_ONCE_INIT, chained = PTHREAD_ONCE_INIT;
static atomic_int runs, finished;

static void inner(void)
{
    usleep(2000);
    atomic_fetch_add(&runs, 100);
}

static void outer(void)
{
    atomic_fetch_add(&runs, 1);
    usleep(30000);
    CHECK(pthread_once(&chained, inner) == 0); // nested on another control
    finished = 1;
}

static void *body(void *arg)
{
    (void)arg;
    CHECK(pthread_once(&once, outer) == 0);
    CHECK(finished == 1);
    CHECK(pthread_once(&chained, inner) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[100];
    for (int i = 0; i < 100; i++)
        CHECK(pthread_create(&t[i], NULL, body, NULL) == 0);
    for (int i = 0; i < 100; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("runs %d\n", runs);
    return 0;
}
