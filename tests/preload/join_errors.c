// Proves: the answers glibc gives to wrong joins: of oneself, of a detached thread.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static void *joins_itself(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)pthread_join(pthread_self(), NULL);
}

static void *sleeper(void *arg)
{
    usleep((useconds_t)(intptr_t)arg);
    return arg;
}

int main(void)
{
    void *result;
    CHECK(pthread_join(pthread_self(), NULL) == EDEADLK);
    CHECK(pthread_join(spawn(joins_itself, NULL), &result) == 0 && (intptr_t)result == EDEADLK);
    pthread_t t = spawn(sleeper, (void *)300000);
    CHECK(pthread_detach(t) == 0);
    CHECK(pthread_detach(t) == EINVAL);
    CHECK(pthread_join(t, NULL) == EINVAL);
    CHECK(pthread_tryjoin_np(t, NULL) == EBUSY);
    puts("join errors ok");
    return 0;
}
