// run: 20000
// Proves: argv[1] threads created and joined one after the other leave resident memory flat, each
// using malloc and a thread-specific value with destructor.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_key_t key;
static int destroyed;

static void destructor(void *p)
{
    free(p);
    destroyed++;
}

static void *body(void *arg)
{
    pthread_setspecific(key, malloc(100));
    return arg;
}

static void run(int count)
{
    void *result;
    pthread_t t;
    for (intptr_t i = 0; i < count; i++) {
        CHECK(pthread_create(&t, NULL, body, (void *)i) == 0);
        CHECK(pthread_join(t, &result) == 0 && result == (void *)i);
    }
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 20000;
    CHECK(pthread_key_create(&key, destructor) == 0);
    run(count / 20); // warm up
    long before = resident_pages();
    run(count - count / 20);
    long grown = resident_pages() - before;
    if (grown > 512) // 2 MB
        printf("memory grew by %ld pages\n", grown);
    CHECK(destroyed == count);
    puts("flat");
    return 0;
}
