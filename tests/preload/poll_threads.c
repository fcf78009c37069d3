// methods
// Proves: poll and ppoll on threads: readiness of either of two fds, timeouts, POLLHUP and
// POLLNVAL, negative fds ignored, the same fd polled by several threads at once.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 30 };

static int common[2];

static void *writer(void *arg)
{
    usleep(3000);
    CHECK(write((int)(intptr_t)arg, "w", 1) == 1);
    return NULL;
}

static void *body(void *arg)
{
    int a[2], b[2], which = (int)(intptr_t)arg % 2;
    char c;
    CHECK(pipe(a) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, b) == 0);
    struct pollfd p[3] = {{a[0], POLLIN, 0}, {b[0], POLLIN, 0}, {-1, POLLIN, 7}};
    for (int i = 0; i < 10; i++, which ^= 1) {
        pthread_t t = spawn(writer, (void *)(intptr_t)(which ? b[1] : a[1]));
        struct timespec limit = {20, 0};
        CHECK((i % 2 ? poll(p, 3, 20000) : ppoll(p, 3, &limit, NULL)) == 1);
        CHECK(p[which].revents == POLLIN && p[!which].revents == 0 && p[2].revents == 0);
        CHECK(read(p[which].fd, &c, 1) == 1);
        CHECK(pthread_join(t, NULL) == 0);
    }
    double start = now();
    CHECK(poll(p, 2, 50) == 0 && now() - start >= 0.049 && now() - start < 2);
    CHECK(poll(p, 2, 0) == 0);
    struct timespec bad = {0, -1};
    CHECK(ppoll(p, 2, &bad, NULL) == -1 && errno == EINVAL);
    struct pollfd out = {b[0], POLLIN | POLLOUT, 0};
    CHECK(poll(&out, 1, -1) == 1 && out.revents == POLLOUT);
    close(a[1]);
    close(b[1]);
    CHECK(poll(p, 2, -1) == 2 && p[0].revents == POLLHUP && p[1].revents == (POLLIN | POLLHUP));
    close(a[0]);
    close(b[0]);
    struct pollfd wrong = {1000000, POLLIN, 0};
    CHECK(poll(&wrong, 1, 1000) == 1 && wrong.revents == POLLNVAL);
    struct pollfd shared = {common[0], POLLIN, 0};
    CHECK(poll(&shared, 1, 20000) == 1 && shared.revents == POLLIN); // all are woken: nobody reads
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    CHECK(pipe(common) == 0);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(body, (void *)(intptr_t)i);
    usleep(300000);
    CHECK(write(common[1], "!", 1) == 1);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("poll ok");
    return 0;
}
