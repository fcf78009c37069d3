// flags from its former lives; the lowest free number is given.
// methods
// Proves: a descriptor number that is closed and handed out again carries only its new file: no
// stale readiness, timeouts or
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void *writer(void *arg)
{
    usleep(2000);
    CHECK(write((int)(intptr_t)arg, "new data", 8) == 8);
    return NULL;
}

static void life(int number, int i)
{
    int s[2];
    char b[8];
    pthread_t t;
    if (i % 3 == 2) {
        CHECK(pipe(s) == 0);
    } else {
        struct timeval limit = {0, 1000};
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
        if (i % 3 == 0) { // a life with a timeout, non-blocking, with unread data and a closed peer
            CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
            CHECK(recv(s[0], b, 1, 0) == -1 && errno == EAGAIN);
            CHECK(fcntl(s[0], F_SETFL, O_NONBLOCK) == 0 && write(s[1], "stale", 5) == 5);
        }
    }
    CHECK(s[0] == number);
    if (i % 3) {
        t = spawn(writer, (void *)(intptr_t)s[1]);
        CHECK(read(s[0], b, 8) == 8 && memcmp(b, "new data", 8) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        CHECK(!(fcntl(s[0], F_GETFL) & O_NONBLOCK));
    }
    CHECK(close(s[1]) == 0 && close(s[0]) == 0);
}

static void *accepts(
    void *arg) // the number is closed by main while this thread has it in use elsewhere
{
    int s[2];
    char c;
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
    struct timeval limit = {0, 100000};
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    double start = now();
    CHECK(recv(s[0], &c, 1, 0) == -1 && errno == EAGAIN);
    CHECK(now() - start >= 0.095);
    CHECK(close(s[0]) == 0 && close(s[1]) == 0);
    return arg;
}

int main(void)
{
    int lowest = dup(0);
    CHECK(lowest >= 0 && close(lowest) == 0);
    CHECK(pthread_join(spawn(accepts, NULL), NULL) == 0);
    for (int i = 0; i < 90; i++)
        life(lowest, i);
    CHECK(pthread_join(spawn(accepts, NULL), NULL) == 0);
    puts("reuse ok");
    return 0;
}
