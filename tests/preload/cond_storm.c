// Proves: waits that time out while they are being signalled lose neither the mutex nor a token:
// tokens given are tokens taken.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { TAKERS = 30, TOKENS = 4000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int tokens, taken, done;

static void *taker(void *arg)
{
    long us = 20 + (intptr_t)arg * 13 % 300;
    pthread_mutex_lock(&lock);
    while (!done || tokens) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += us * 1000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        int rc = tokens ? 0 : pthread_cond_timedwait(&cond, &lock, &t);
        CHECK(rc == 0 || rc == ETIMEDOUT);
        if (tokens) {
            tokens--;
            taken++;
        }
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(void)
{
    pthread_t t[TAKERS];
    for (int i = 0; i < TAKERS; i++)
        t[i] = spawn(taker, (void *)(intptr_t)i);
    for (int i = 0; i < TOKENS; i++) {
        pthread_mutex_lock(&lock);
        tokens++;
        i % 7 ? pthread_cond_signal(&cond) : pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&lock);
        if (i % 20 == 0)
            usleep(100);
    }
    pthread_mutex_lock(&lock);
    done = 1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < TAKERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("taken %d left %d\n", taken, tokens);
    return 0;
}
