// methods
// Proves: a ring of 200 threads connected by pipes passes tokens round; closing the first end
// closes the chain.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { STAGES = 200, TOKENS = 20 };

static int p[STAGES + 1][2];

static void *stage(void *arg)
{
    int i = (int)(intptr_t)arg, token;
    ssize_t n;
    while ((n = read(p[i][0], &token, sizeof token)) == sizeof token) {
        token++;
        CHECK(write(p[i + 1][1], &token, sizeof token) == sizeof token);
    }
    CHECK(n == 0);
    CHECK(close(p[i + 1][1]) == 0 && close(p[i][0]) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[STAGES];
    int token, sum = 0;
    for (int i = 0; i <= STAGES; i++)
        CHECK(pipe(p[i]) == 0);
    for (intptr_t i = 0; i < STAGES; i++)
        CHECK(pthread_create(&t[i], NULL, stage, (void *)i) == 0);
    for (token = 0; token < TOKENS; token++)
        CHECK(write(p[0][1], &token, sizeof token) == sizeof token);
    CHECK(close(p[0][1]) == 0);
    while (read(p[STAGES][0], &token, sizeof token) == sizeof token)
        sum += token;
    for (int i = 0; i < STAGES; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("sum %d\n", sum);
    return 0;
}
