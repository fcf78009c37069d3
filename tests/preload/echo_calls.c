// methods
// Proves: every family of stream calls carries bytes between threads: recv/send, read/write,
// readv/writev, recvmsg/sendmsg, recvfrom/sendto over TCP and socketpairs, 20 conversations at
// once.
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

enum { PAIRS = 20, ROUNDS = 100, SIZE = 300 };

static int listener;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void give(int kind, int fd, char *p, size_t n)
{
    struct iovec v[3] = {{p, 1}, {p + 1, n / 2}, {p + 1 + n / 2, n - 1 - n / 2}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 3};
    ssize_t done;
    switch (kind % 5) {
    case 0:
        done = send(fd, p, n, MSG_NOSIGNAL);
        break;
    case 1:
        done = write(fd, p, n);
        break;
    case 2:
        done = writev(fd, v, 3);
        break;
    case 3:
        done = sendmsg(fd, &m, 0);
        break;
    default:
        done = sendto(fd, p, n, 0, NULL, 0);
        break;
    }
    CHECK(done == (ssize_t)n);
}

static void take(int kind, int fd, char *p, size_t n)
{
    for (size_t have = 0; have < n;) {
        size_t want = n - have, half = want / 2;
        struct iovec v[2] = {{p + have, half}, {p + have + half, want - half}};
        struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
        ssize_t got;
        switch (kind % 5) {
        case 0:
            got = recv(fd, p + have, want, 0);
            break;
        case 1:
            got = read(fd, p + have, want);
            break;
        case 2:
            got = readv(fd, v, 2);
            break;
        case 3:
            got = recvmsg(fd, &m, 0);
            break;
        default:
            got = recvfrom(fd, p + have, want, 0, NULL, NULL);
            break;
        }
        CHECK(got > 0);
        have += (size_t)got;
    }
}

static void *server(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char b[SIZE], c;
    for (int i = 0; i < ROUNDS; i++) {
        take(i / 5, fd, b, SIZE);
        give(i, fd, b, SIZE);
    }
    CHECK(recv(fd, &c, 1, 0) == 0); // the client's close
    CHECK(close(fd) == 0);
    return NULL;
}

static void *client(void *arg)
{
    int id = (int)(intptr_t)arg, fd, pair[2];
    pthread_t peer = 0;
    char out[SIZE], in[SIZE];
    if (id % 2) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        peer = spawn(server, (void *)(intptr_t)pair[1]);
        fd = pair[0];
    } else {
        CHECK((fd = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
        CHECK(connect(fd, (void *)&address, sizeof address) == 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < SIZE; k++)
            out[k] = (char)(id * 31 + i * 7 + k);
        give(i + id, fd, out, SIZE);
        take(i * 3 + id, fd, in, SIZE);
        CHECK(memcmp(in, out, SIZE) == 0);
    }
    CHECK(close(fd) == 0);
    CHECK(!peer || pthread_join(peer, NULL) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[PAIRS], s[PAIRS / 2];
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK((listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
    CHECK(bind(listener, (void *)&address, sizeof address) == 0 && listen(listener, 100) == 0);
    CHECK(getsockname(listener, (void *)&address, &size) == 0);
    for (int i = 0; i < PAIRS; i++)
        t[i] = spawn(client, (void *)(intptr_t)i);
    for (int i = 0; i < PAIRS / 2; i++) {
        int fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        s[i] = spawn(server, (void *)(intptr_t)fd);
    }
    for (int i = 0; i < PAIRS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < PAIRS / 2; i++)
        CHECK(pthread_join(s[i], NULL) == 0);
    puts("echoed");
    return 0;
}
