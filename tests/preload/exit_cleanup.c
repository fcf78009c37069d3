// Proves: pthread_exit from nested frames runs the C cleanup handlers in reverse order (also those
// popped with execute), then keys' destructors, and hands its value to the joiner.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_key_t key;
static volatile int leave = 1;

static void note(void *what)
{
    usleep(50); // handlers may switch
    printf("  cleanup %s\n", (const char *)what);
}

static void destructor(void *what)
{
    printf("  key %s\n", (const char *)what);
}

static void nest(int level)
{
    static const char *const names[] = {"inner", "second", "third", "outer"};
    pthread_cleanup_push(note, (void *)names[level]);
    if (level == 0) {
        pthread_cleanup_push(note, "popped and run");
        sched_yield();
        pthread_cleanup_pop(1);
        pthread_cleanup_push(note, "popped, not run");
        pthread_cleanup_pop(0);
        if (leave)
            pthread_exit("result");
        return;
    }
    nest(level - 1);
    pthread_cleanup_pop(0);
}

static void *body(void *arg)
{
    CHECK(pthread_setspecific(key, "destructor") == 0);
    nest(3);
    return arg;
}

int main(void)
{
    pthread_t t;
    void *result;
    CHECK(pthread_key_create(&key, destructor) == 0);
    for (int i = 0; i < 3; i++) {
        printf("thread %d\n", i);
        CHECK(pthread_create(&t, NULL, body, NULL) == 0);
        CHECK(pthread_join(t, &result) == 0);
        printf("  joined %s\n", (char *)result);
    }
    return 0;
}
