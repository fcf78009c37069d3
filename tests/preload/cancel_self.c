// Proves: pthread_cancel of oneself acts at the next point; of a finished, unjoined thread is
// harmless; calls made with a request pending act at once even when data is there.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static int p[2], reached;

static void *self(void *arg)
{
    CHECK(pthread_cancel(pthread_self()) == 0);
    reached++;
    pthread_testcancel();
    reached += 100;
    return arg;
}

static void *reader(void *arg)
{
    char c;
    CHECK(pthread_cancel(pthread_self()) == 0);
    (void)!read(p[0], &c, 1); // a byte is waiting, the request wins
    reached += 1000;
    return arg;
}

static void *brief(void *arg)
{
    return arg;
}

int main(void)
{
    pthread_t t;
    void *result;
    char c = 0;
    CHECK(pipe(p) == 0 && write(p[1], "z", 1) == 1);
    CHECK(pthread_create(&t, NULL, self, NULL) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(pthread_create(&t, NULL, reader, NULL) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(read(p[0], &c, 1) == 1 && c == 'z');
    CHECK(pthread_create(&t, NULL, brief, p) == 0);
    usleep(20000);
    CHECK(pthread_cancel(t) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == p);
    printf("reached %d\n", reached);
    return 0;
}
