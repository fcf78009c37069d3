// methods
// Proves: one write, send or writev of 16 MB through a small socket or pipe buffer delivers every
// byte in order and returns the full count, in both directions at once.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

enum { SIZE = 16 << 20 };

static char *payload;

static uint64_t hash(uint64_t h, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * 1099511628211u;
    return h;
}

struct job {
    int fd, kind;
    uint64_t hash;
};

static void *sender(void *arg)
{
    struct job *j = arg;
    struct iovec v[4];
    ssize_t n;
    for (int i = 0; i < 4; i++)
        v[i] = (struct iovec){payload + i * (SIZE / 4), SIZE / 4};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 4};
    n = j->kind == 0   ? write(j->fd, payload, SIZE)
        : j->kind == 1 ? send(j->fd, payload, SIZE, 0)
        : j->kind == 2 ? writev(j->fd, v, 4)
                       : sendmsg(j->fd, &m, 0);
    CHECK(n == SIZE);
    return NULL;
}

static void *receiver(void *arg)
{
    struct job *j = arg;
    size_t have = 0;
    char *b = malloc(100000);
    j->hash = 14695981039346656037u;
    while (have < SIZE) {
        ssize_t n = read(j->fd, b, 1 + have % 100000);
        CHECK(n > 0);
        j->hash = hash(j->hash, b, (size_t)n);
        have += (size_t)n;
    }
    free(b);
    return NULL;
}

static void make(int which, int p[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int small = 8192;
    if (which == 0) {
        CHECK(pipe(p) == 0);
        return;
    }
    if (which == 1) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
    } else {
        int l = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 1) == 0 &&
              getsockname(l, (void *)&a, &size) == 0);
        CHECK((p[1] = socket(AF_INET, SOCK_STREAM, 0)) >= 0 &&
              connect(p[1], (void *)&a, sizeof a) == 0);
        CHECK((p[0] = accept(l, NULL, NULL)) >= 0 && close(l) == 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK(setsockopt(p[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
}

int main(void)
{
    uint64_t expect;
    payload = malloc(SIZE);
    CHECK(payload != NULL);
    for (size_t i = 0; i < SIZE; i++)
        payload[i] = (char)((i * 2654435761u) >> 13);
    expect = hash(14695981039346656037u, payload, SIZE);
    for (int which = 0; which < 3; which++) {
        for (int kind = 0; kind < 4; kind++) {
            int p[2], both = which > 0, socket_only = kind == 1 || kind == 3;
            if (which == 0 && socket_only)
                continue;
            make(which, p);
            struct job s[2] = {{p[1], kind, 0}, {p[0], kind, 0}},
                       r[2] = {{p[0], kind, 0}, {p[1], kind, 0}};
            pthread_t t[4];
            for (int d = 0; d <= both; d++) {
                t[d * 2] = spawn(sender, &s[d]);
                t[d * 2 + 1] = spawn(receiver, &r[d]);
            }
            for (int i = 0; i < 2 * (1 + both); i++)
                CHECK(pthread_join(t[i], NULL) == 0);
            CHECK(r[0].hash == expect && (!both || r[1].hash == expect));
            close(p[0]);
            close(p[1]);
        }
    }
    printf("hash %016llx\n", (unsigned long long)expect);
    return 0;
}
