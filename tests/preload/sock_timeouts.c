// methods
// Proves: SO_RCVTIMEO and SO_SNDTIMEO end blocking calls with EAGAIN at their time (accept and
// connect included), can be read back and switched off; a duplicate has them too, and what was
// accepted if its family hands them down; negative ones do not wait.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void timeout(int fd, int which, long ms)
{
    struct timeval t = {ms / 1000, ms % 1000 * 1000}, back;
    socklen_t size = sizeof back;
    CHECK(setsockopt(fd, SOL_SOCKET, which, &t, sizeof t) == 0);
    CHECK(getsockopt(fd, SOL_SOCKET, which, &back, &size) == 0 && size == sizeof back);
    CHECK(back.tv_sec == t.tv_sec && back.tv_usec / 10000 == t.tv_usec / 10000);
}

#define TAKES(ms, call)                                                                            \
    do {                                                                                           \
        double start = now();                                                                      \
        CHECK((call) == -1 && errno == EAGAIN);                                                    \
        CHECK(now() - start >= (ms) / 1000.0 - 0.005 && now() - start < (ms) / 1000.0 + 2);        \
    } while (0)

static void *send_late(void *arg)
{
    usleep(120000);
    CHECK(write((int)(intptr_t)arg, "x", 1) == 1);
    return NULL;
}

static void duplicates(void)
{
    int s[2], d;
    char c;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && (d = dup(s[0])) >= 0);
    timeout(s[0], SO_RCVTIMEO, 60);
    TAKES(60, recv(d, &c, 1, 0));
    timeout(d, SO_RCVTIMEO, 0);
    pthread_t t = spawn(send_late, (void *)(intptr_t)s[1]);
    CHECK(recv(s[0], &c, 1, 0) == 1 && pthread_join(t, NULL) == 0);
    struct timeval negative = {-1, 0};
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &negative, sizeof negative) == 0);
    CHECK(recv(s[0], &c, 1, 0) == -1 && errno == EAGAIN);
    close(d), close(s[0]), close(s[1]);
}

static void accepted(int family)
{
    struct sockaddr_storage at = {.ss_family = (sa_family_t)family};
    socklen_t n = family == AF_UNIX ? sizeof(sa_family_t) : sizeof(struct sockaddr_in);
    int l = socket(family, SOCK_STREAM, 0), c = socket(family, SOCK_STREAM, 0), s;
    char b;
    CHECK(bind(l, (void *)&at, n) == 0 && listen(l, 5) == 0); // AF_UNIX: the kernel finds a name
    n = sizeof at;
    CHECK(getsockname(l, (void *)&at, &n) == 0);
    timeout(l, SO_RCVTIMEO, 60);
    CHECK(connect(c, (void *)&at, n) == 0 && (s = accept(l, NULL, NULL)) >= 0);
    pthread_t t = spawn(send_late, (void *)(intptr_t)c);
    CHECK(recv(s, &b, 1, 0) == (family == AF_UNIX ? 1 : -1) && pthread_join(t, NULL) == 0);
    close(c), close(s), close(l);
}

static void *body(void *arg)
{
    int s[2], l;
    char c, big[65536] = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    timeout(s[0], SO_RCVTIMEO, 80);
    TAKES(80, recv(s[0], &c, 1, 0));
    TAKES(80, read(s[0], &c, 1));
    TAKES(80, recv(s[0], &c, 1, MSG_WAITALL));
    CHECK(recv(s[0], &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    CHECK(send(s[1], "x", 1, 0) == 1 && recv(s[0], &c, 1, 0) == 1 && c == 'x');
    timeout(s[0], SO_SNDTIMEO, 80);
    double start = now();
    ssize_t n;
    while ((n = send(s[0], big, sizeof big, 0)) > 0)
        ;
    CHECK(n == -1 && errno == EAGAIN && now() - start >= 0.075);
    TAKES(80, write(s[0], big, 1000));
    timeout(s[0], SO_RCVTIMEO, 0);
    CHECK((l = socket(AF_INET, SOCK_STREAM, 0)) >= 0 && bind(l, (void *)&a, sizeof a) == 0 &&
          listen(l, 5) == 0);
    timeout(l, SO_RCVTIMEO, 80);
    TAKES(80, accept(l, NULL, NULL));
    struct timeval bad = {0, 1000000};
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof bad) == -1 && errno == EDOM);
    duplicates();
    accepted(AF_INET);
    accepted(AF_UNIX);
    close(l);
    close(s[0]);
    close(s[1]);
    return arg;
}

int main(void)
{
    pthread_t t[10];
    body(NULL);
    for (int i = 0; i < 10; i++)
        t[i] = spawn(body, NULL);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("socket timeouts ok");
    return 0;
}
