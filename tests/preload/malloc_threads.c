// Proves: memory allocated in one thread is freed or resized in another while everybody allocates;
// contents stay whole.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 40, SLOTS = 500, TURNS = 2000 };

static pthread_mutex_t lock[SLOTS];
static unsigned char *slot[SLOTS];
static size_t size[SLOTS];

static void check(int s)
{
    for (size_t i = 0; i < size[s]; i++)
        CHECK(slot[s][i] == (unsigned char)(size[s] + i));
}

static void *body(void *arg)
{
    unsigned r = (unsigned)(intptr_t)arg * 2654435761u + 1;
    for (int i = 0; i < TURNS; i++) {
        r = r * 1664525u + 1013904223u;
        int s = (int)(r >> 8) % SLOTS;
        size_t n = 1 + (r >> 16) % 3000;
        pthread_mutex_lock(&lock[s]);
        check(s);
        if (r & 64) {
            slot[s] = realloc(slot[s], n);
        } else {
            free(slot[s]);
            slot[s] = r & 32 ? calloc(1, n) : memalign(64, n);
        }
        CHECK(slot[s] != NULL);
        size[s] = n;
        for (size_t k = 0; k < n; k++)
            slot[s][k] = (unsigned char)(n + k);
        if (i % 50 == 0)
            sched_yield();
        pthread_mutex_unlock(&lock[s]);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    for (int i = 0; i < SLOTS; i++)
        pthread_mutex_init(&lock[i], NULL);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, body, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < SLOTS; i++) {
        check(i);
        free(slot[i]);
    }
    puts("malloc ok");
    return 0;
}
