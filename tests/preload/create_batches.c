// Proves: waves of threads that are alive together (500 at a time) leave memory flat and joins may
// come in any order.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { WAVE = 500, WAVES = 40 };

static pthread_t t[WAVE];

static void *body(void *arg)
{
    char *p = malloc(200);
    usleep(500);
    free(p);
    return arg;
}

int main(void)
{
    long before = 0;
    for (int w = 0; w < WAVES; w++) {
        if (w == WAVES / 4)
            before = resident_pages();
        for (int i = 0; i < WAVE; i++)
            CHECK(pthread_create(&t[i], NULL, body, (void *)(intptr_t)i) == 0);
        for (int i = 0; i < WAVE; i++) {
            int k = w % 2 ? i : (i * 7 + 3) % WAVE;
            void *result;
            CHECK(pthread_join(t[k], &result) == 0 && result == (void *)(intptr_t)k);
        }
    }
    long grown = resident_pages() - before;
    if (grown > 1024) // 4 MB
        printf("memory grew by %ld pages\n", grown);
    puts("waves ok");
    return 0;
}
