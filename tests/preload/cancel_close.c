// Proves: a thread that is cancelled and then loses the descriptor it reads from ends cancelled; one
// that joins a thread which has ended already does so although it is cancelled.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static int fds[2];

static void *reader(void *arg)
{
    char c;
    CHECK(read(fds[0], &c, 1) != 1);
    return arg;
}

static void closed_under_it(void)
{
    pthread_t t;
    void *result;
    CHECK(pipe(fds) == 0 && pthread_create(&t, NULL, reader, NULL) == 0);
    CHECK(pthread_cancel(t) == 0 && close(fds[0]) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(close(fds[1]) == 0);
}

static void *cancelled_joiner(void *ended)
{
    usleep(20000);
    pthread_cancel(pthread_self());
    CHECK(pthread_join(*(pthread_t *)ended, NULL) == 0);
    pthread_testcancel();
    return NULL;
}

int main(void)
{
    pthread_t t, u;
    void *result;
    for (int i = 0; i < 100; i++)
        closed_under_it();
    CHECK(pthread_create(&t, NULL, reader, NULL) == 0);
    CHECK(pthread_create(&u, NULL, cancelled_joiner, &t) == 0);
    CHECK(pthread_join(u, &result) == 0 && result == PTHREAD_CANCELED);
    puts("cancelled every time");
    return 0;
}
