// Proves: programs whose thread-local storage is larger than a small stack have it in each thread, whole and as it
// was initialised.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 20, SIZE = 1 << 20 };

static __thread char zeroes[SIZE];
static __thread int number = 42;

static void *uses_it(void *arg)
{
    CHECK(number == 42 && zeroes[0] == 0 && zeroes[SIZE - 1] == 0);
    memset(zeroes, 7, SIZE);
    number = 43;
    usleep(1000);
    CHECK(number == 43 && zeroes[0] == 7 && zeroes[SIZE - 1] == 7);
    return arg;
}

int main(void)
{
    pthread_t t[THREADS];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < THREADS; i++)
            t[i] = spawn(uses_it, NULL);
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_join(t[i], NULL) == 0);
    }
    puts("ok");
    return 0;
}
