// Proves: pthread_exit from main lets the other threads run on; main can be joined; the process
// ends with 0 after the last thread, flushes stdio and runs atexit handlers.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 5 };

static pthread_t before[THREADS + 1]; // who must have ended: main, then the previous thread

static void bye(void)
{
    puts("atexit");
}

static void *body(void *arg)
{
    intptr_t i = (intptr_t)arg;
    void *result;
    usleep(1000);
    CHECK(pthread_join(before[i], &result) == 0 && (intptr_t)result == (i ? i - 1 : 3));
    printf("thread %d ends\n", (int)i);
    return arg;
}

int main(void)
{
    atexit(bye);
    before[0] = pthread_self();
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&before[i + 1], NULL, body, (void *)i) == 0);
    puts("main leaves");
    pthread_exit((void *)3);
}
