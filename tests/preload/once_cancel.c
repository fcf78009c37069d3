// Proves: a pthread_once routine that is cancelled leaves the control as if never run: the next
// caller runs it, waiters included.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t inside;
static atomic_int runs, returned;

static void routine(void)
{
    if (atomic_fetch_add(&runs, 1) == 0) {
        sem_post(&inside);
        for (;;)
            usleep(10000);
    }
}

static void *body(void *arg)
{
    CHECK(pthread_once(&once, routine) == 0);
    atomic_fetch_add(&returned, 1);
    return arg;
}

int main(void)
{
    pthread_t first, t[10];
    void *result;
    CHECK(sem_init(&inside, 0, 0) == 0 && pthread_create(&first, NULL, body, NULL) == 0);
    CHECK(sem_wait(&inside) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_create(&t[i], NULL, body, NULL) == 0);
    usleep(20000);
    CHECK(returned == 0);
    CHECK(pthread_cancel(first) == 0);
    CHECK(pthread_join(first, &result) == 0 && result == PTHREAD_CANCELED);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(t[i], &result) == 0 && result == NULL);
    printf("runs %d returned %d\n", runs, returned);
    return 0;
}
