// methods
// Proves: O_NONBLOCK set by fcntl, FIONBIO, SOCK_NONBLOCK, accept4 or pipe2 gives EAGAIN at once;
// F_GETFL shows the program's own flags only, before and after blocking calls; MSG_DONTWAIT works
// on blocking sockets.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int flag(int fd)
{
    int f = fcntl(fd, F_GETFL);
    CHECK(f >= 0);
    return !!(f & O_NONBLOCK);
}

static void *feed(void *arg)
{
    usleep(2000);
    CHECK(write((int)(intptr_t)arg, "y", 1) == 1);
    return NULL;
}

static void blocking_read(int from, int to)
{
    char c = 0;
    pthread_t t = spawn(feed, (void *)(intptr_t)to);
    CHECK(flag(from) == 0);
    CHECK(read(from, &c, 1) == 1 && c == 'y');
    CHECK(flag(from) == 0 && flag(to) == 0);
    CHECK(pthread_join(t, NULL) == 0);
}

static void *body(void *arg)
{
    int s[2], p[2], l, a, c, on = 1, off = 0;
    char b;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(p) == 0);
    blocking_read(s[0], s[1]);
    blocking_read(p[0], p[1]);
    CHECK(recv(s[0], &b, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN && flag(s[0]) == 0);
    CHECK(fcntl(s[0], F_SETFL, fcntl(s[0], F_GETFL) | O_NONBLOCK) == 0 && flag(s[0]) == 1 &&
          flag(s[1]) == 0);
    CHECK(read(s[0], &b, 1) == -1 && errno == EAGAIN);
    CHECK(recv(s[0], &b, 1, 0) == -1 && errno == EAGAIN);
    CHECK(fcntl(s[0], F_SETFL, fcntl(s[0], F_GETFL) & ~O_NONBLOCK) == 0 && flag(s[0]) == 0);
    blocking_read(s[0], s[1]);
    CHECK(ioctl(p[0], FIONBIO, &on) == 0 && flag(p[0]) == 1);
    CHECK(read(p[0], &b, 1) == -1 && errno == EAGAIN);
    CHECK(ioctl(p[0], FIONBIO, &off) == 0 && flag(p[0]) == 0);
    blocking_read(p[0], p[1]);
    int q[2];
    CHECK(pipe2(q, O_NONBLOCK) == 0 && flag(q[0]) == 1 && flag(q[1]) == 1);
    CHECK(read(q[0], &b, 1) == -1 && errno == EAGAIN);
    int shared = dup(q[0]); // the flag belongs to the description
    CHECK(flag(shared) == 1 && fcntl(shared, F_SETFL, 0) == 0 && flag(q[0]) == 0);
    CHECK((l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0 && flag(l) == 1);
    CHECK(bind(l, (void *)&at, sizeof at) == 0 && listen(l, 5) == 0 &&
          getsockname(l, (void *)&at, &size) == 0);
    CHECK(accept(l, NULL, NULL) == -1 && errno == EAGAIN);
    CHECK((c = socket(AF_INET, SOCK_STREAM, 0)) >= 0 && connect(c, (void *)&at, sizeof at) == 0 &&
          flag(c) == 0);
    CHECK((a = accept(l, NULL, NULL)) >= 0 && flag(a) == 0); // not inherited on Linux
    CHECK(fcntl(l, F_SETFL, 0) == 0 && flag(l) == 0);
    int c2 = socket(AF_INET, SOCK_STREAM, 0), a2;
    CHECK(connect(c2, (void *)&at, sizeof at) == 0);
    CHECK((a2 = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0 && flag(a2) == 1);
    CHECK(fcntl(a2, F_GETFD) == FD_CLOEXEC && flag(l) == 0);
    CHECK(recv(a2, &b, 1, 0) == -1 && errno == EAGAIN);
    blocking_read(a, c);
    int all[] = {s[0], s[1], p[0], p[1], q[0], q[1], shared, l, a, c, a2, c2};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK(close(all[i]) == 0);
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
    puts("non-blocking flags ok");
    return 0;
}
