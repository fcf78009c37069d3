// methods
// Proves: connect answers as natively: refused, already connected, in progress for non-blocking
// sockets with SO_ERROR, a full backlog under SO_SNDTIMEO, unix sockets, and many connects at
// once.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static struct sockaddr_in refused = {.sin_family = AF_INET}, full = {.sin_family = AF_INET};

static int listening(struct sockaddr_in *a, int backlog)
{
    int l = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof *a;
    a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(l >= 0 && bind(l, (void *)a, sizeof *a) == 0 && getsockname(l, (void *)a, &size) == 0);
    CHECK(backlog < 0 || listen(l, backlog) == 0);
    return l;
}

static void *body(void *arg)
{
    int s = socket(AF_INET, SOCK_STREAM, 0), error = 0;
    socklen_t size = sizeof error;
    CHECK(connect(s, (void *)&refused, sizeof refused) == -1 && errno == ECONNREFUSED);
    close(s);
    s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(s, (void *)&refused, sizeof refused) == -1 && errno == EINPROGRESS) {
        struct pollfd p = {s, POLLOUT, 0};
        CHECK(poll(&p, 1, 5000) == 1);
        CHECK(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNREFUSED);
    } else {
        CHECK(errno == ECONNREFUSED);
    }
    close(s);
    struct timeval t = {0, 100000};
    double start = now();
    s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0);
    CHECK(connect(s, (void *)&full, sizeof full) == -1 && errno == EINPROGRESS);
    CHECK(now() - start >= 0.095 && now() - start < 3);
    close(s);
    struct sockaddr_un u = {.sun_family = AF_UNIX, .sun_path = "/no/such/socket"};
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(s, (void *)&u, sizeof u) == -1 && errno == ENOENT);
    close(s);
    CHECK(connect(-1, (void *)&u, sizeof u) == -1 && errno == EBADF);
    return arg;
}

int main(void)
{
    pthread_t t[20];
    struct sockaddr_in good = {.sin_family = AF_INET};
    listening(&refused, -1);
    listening(&full, 0);
    int l = listening(&good, 50), fill[8];
    for (int i = 0; i < 8; i++) { // more than a backlog of 0 takes
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fill[i], (void *)&full, sizeof full);
    }
    usleep(50000);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(s, (void *)&good, sizeof good) == 0);
    CHECK(connect(s, (void *)&good, sizeof good) == -1 && errno == EISCONN);
    close(s);
    close(accept(l, NULL, NULL));
    body(NULL);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(body, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("connect errors ok");
    return 0;
}
