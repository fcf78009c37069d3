// methods
// Proves: shutdown from another thread wakes readers with 0, writers with EPIPE, an accepting
// thread with EINVAL; data sent before the peer's close is all read first; reset gives ECONNRESET.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static struct sockaddr_in at = {.sin_family = AF_INET};
static int listener;

static void pair(int p[2])
{
    CHECK((p[0] = socket(AF_INET, SOCK_STREAM, 0)) >= 0 &&
          connect(p[0], (void *)&at, sizeof at) == 0);
    CHECK((p[1] = accept(listener, NULL, NULL)) >= 0);
}

static void *reader(void *arg)
{
    char b[64];
    ssize_t n, sum = 0;
    while ((n = recv((int)(intptr_t)arg, b, sizeof b, 0)) > 0)
        sum += n;
    return (void *)(n < 0 ? -errno : sum);
}

static void *writer(void *arg)
{
    char b[65536] = {0};
    ssize_t n;
    while ((n = send((int)(intptr_t)arg, b, sizeof b, MSG_NOSIGNAL)) > 0)
        ;
    return (void *)(intptr_t)(-errno);
}

static void *acceptor(void *arg)
{
    int fd = accept((int)(intptr_t)arg, NULL, NULL);
    return (void *)(intptr_t)(fd < 0 ? -errno : fd);
}

static long after(int ms, pthread_t t, int fd, int how)
{
    void *result;
    usleep((useconds_t)ms * 1000);
    CHECK(shutdown(fd, how) == 0);
    CHECK(pthread_join(t, &result) == 0);
    return (long)(intptr_t)result;
}

int main(void)
{
    int p[2];
    void *result;
    pthread_t t;
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK((listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0 &&
          bind(listener, (void *)&at, sizeof at) == 0);
    CHECK(listen(listener, 10) == 0 && getsockname(listener, (void *)&at, &size) == 0);
    pair(p);
    printf("reader, own side shut: %ld\n",
           after(10, spawn(reader, (void *)(intptr_t)p[0]), p[0], SHUT_RD));
    close(p[0]), close(p[1]);
    pair(p);
    CHECK(send(p[1], "hello", 5, 0) == 5);
    printf("reader, peer shut after 5 bytes: %ld\n",
           after(10, spawn(reader, (void *)(intptr_t)p[0]), p[1], SHUT_WR));
    close(p[0]), close(p[1]);
    pair(p);
    CHECK(after(10, spawn(writer, (void *)(intptr_t)p[0]), p[0], SHUT_WR) == -EPIPE);
    close(p[0]), close(p[1]);
    pair(p);
    t = spawn(reader, (void *)(intptr_t)p[0]);
    usleep(10000);
    struct linger hard = {1, 0};
    CHECK(setsockopt(p[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard) == 0 && close(p[1]) == 0);
    CHECK(pthread_join(t, &result) == 0 && (intptr_t)result == -ECONNRESET);
    CHECK(after(10, spawn(acceptor, (void *)(intptr_t)listener), listener, SHUT_RDWR) == -EINVAL);
    puts("shutdown ok");
    return 0;
}
