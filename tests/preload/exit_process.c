// Proves: exit and return from main end the process at once with their status though threads are
// parked for ever.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int p[2];

static void *body(void *arg)
{
    char c;
    if ((intptr_t)arg % 3 == 0)
        pthread_cond_wait(&never, &lock);
    else if ((intptr_t)arg % 3 == 1)
        (void)!read(p[0], &c, 1);
    else
        sleep(1000);
    return NULL;
}

static void *leave(void *arg)
{
    (void)arg;
    usleep(20000);
    puts("a thread calls exit");
    exit(0);
}

int main(void)
{
    pthread_t t;
    CHECK(pipe(p) == 0);
    for (intptr_t i = 0; i < 30; i++)
        CHECK(pthread_create(&t, NULL, body, (void *)i) == 0);
    CHECK(pthread_create(&t, NULL, leave, NULL) == 0);
    for (;;)
        pause();
}
