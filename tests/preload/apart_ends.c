// Proves: threads that get a kernel thread of their own and end without having waited on it are joined, also where that kernel
// thread's hub has been another's before.
#define _GNU_SOURCE
#include "check.h"

#include <sys/fsuid.h>
#include <unistd.h>

enum { ROUNDS = 20, THREADS = 10 };

static void *ends(void *arg)
{
    setfsuid(getuid());
    return arg;
}

static void *waits(void *arg)
{
    setfsuid(getuid());
    usleep(1000);
    return arg;
}

static void round_of(void *(*body)(void *))
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(body, &t[i]);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        CHECK(pthread_join(t[i], &result) == 0 && result == &t[i]);
    }
}

int main(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        round_of(waits);
        round_of(ends);
        usleep(1000);
    }
    puts("joined");
    return 0;
}
