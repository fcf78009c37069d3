// Proves: a default stack is as large as natively: recursion 6 MB deep works on several threads at
// once.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

static long descend(int level)
{
    volatile char frame[1000];
    frame[0] = (char)level;
    frame[999] = 1;
    if (level % 1000 == 0)
        sched_yield();
    if (level == 0)
        return frame[999];
    long below = descend(level - 1);
    CHECK(frame[0] == (char)level);
    return below + frame[999];
}

static void *body(void *arg)
{
    long deep = descend(6000 + (int)(intptr_t)arg);
    usleep(1000);
    return (void *)(intptr_t)deep;
}

int main(void)
{
    struct rlimit r;
    pthread_t t[10];
    void *result;
    CHECK(getrlimit(RLIMIT_STACK, &r) == 0);
    if (r.rlim_cur < 8 << 20) {
        puts("stack limit below 8 MB, nothing to prove");
        return 0;
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 10; i++)
            t[i] = spawn(body, (void *)(intptr_t)i);
        for (int i = 0; i < 10; i++) {
            CHECK(pthread_join(t[i], &result) == 0);
            CHECK((intptr_t)result == 6001 + i);
        }
    }
    puts("6 MB deep ok");
    return 0;
}
