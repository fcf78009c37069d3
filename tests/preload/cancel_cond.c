// Proves: a thread cancelled in pthread_cond_wait holds the mutex in its cleanup handler, and no
// signal meant for another waiter is lost with it.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, cleaned, tokens, taken;

static void clean(void *arg)
{
    (void)arg;
    CHECK(pthread_mutex_lock(&lock) == EDEADLK); // the owner is this thread
    cleaned++;
    waiting--;
    sched_yield();
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

static void *body(void *arg)
{
    (void)arg;
    CHECK(pthread_mutex_lock(&lock) == 0);
    waiting++;
    pthread_cleanup_push(clean, NULL);
    while (tokens == 0)
        CHECK(pthread_cond_wait(&cond, &lock) == 0);
    tokens--;
    taken++;
    waiting--;
    pthread_cleanup_pop(0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[20];
    void *result;
    for (int round = 0; round < 30; round++) {
        int cancelled = 0, left, all;
        for (int i = 0; i < 20; i++)
            t[i] = spawn(body, NULL);
        do {
            usleep(500);
            CHECK(pthread_mutex_lock(&lock) == 0);
            all = waiting == 20;
            CHECK(pthread_mutex_unlock(&lock) == 0);
        } while (!all);
        cleaned = 0;
        for (int i = 0; i < 10; i++) {
            CHECK(pthread_mutex_lock(&lock) == 0);
            tokens++;
            CHECK(pthread_cond_signal(&cond) == 0);
            CHECK(pthread_mutex_unlock(&lock) == 0);
            CHECK(pthread_cancel(t[i]) == 0);
        }
        for (int i = 0; i < 10; i++) {
            CHECK(pthread_join(t[i], &result) == 0);
            cancelled += result == PTHREAD_CANCELED;
        }
        CHECK(cancelled == cleaned);
        for (left = 1; left; usleep(500)) { // the tokens all find a taker among the rest
            CHECK(pthread_mutex_lock(&lock) == 0);
            left = tokens && waiting;
            CHECK(pthread_mutex_unlock(&lock) == 0);
        }
        CHECK(pthread_mutex_lock(&lock) == 0);
        tokens += 20;
        CHECK(pthread_cond_broadcast(&cond) == 0);
        CHECK(pthread_mutex_unlock(&lock) == 0);
        for (int i = 10; i < 20; i++)
            CHECK(pthread_join(t[i], &result) == 0 && result == NULL);
        CHECK(waiting == 0);
        tokens = 0;
    }
    puts("cancelled conditions ok");
    return 0;
}
