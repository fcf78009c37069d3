// methods
// Proves: recvmmsg collects datagrams as they come, with its timeout looked at after each one,
// MSG_WAITFORONE, MSG_DONTWAIT, SO_RCVTIMEO and bad arguments; sendmmsg waits for room, also on a
// stream, where every message goes out whole.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { MANY = 8, PIECE = 20000 };

static struct mmsghdr vec[MANY];
static struct iovec iov[MANY];
static int numbers[MANY];

static void prepare(void)
{
    memset(vec, 0, sizeof vec);
    for (int i = 0; i < MANY; i++) {
        iov[i] = (struct iovec){&numbers[i], sizeof *numbers};
        vec[i].msg_hdr.msg_iov = &iov[i];
        vec[i].msg_hdr.msg_iovlen = 1;
    }
}

static void *sends(void *arg)
{
    for (int i = 0; i < 4; i++) {
        usleep(60000);
        CHECK(send((int)(intptr_t)arg, &i, sizeof i, 0) == sizeof i);
    }
    return NULL;
}

static int receive(int s[2], unsigned n, int flags, struct timespec *timeout, unsigned left)
{
    pthread_t t = spawn(sends, (void *)(intptr_t)s[1]);
    int r, v;
    prepare();
    r = recvmmsg(s[0], vec, n, flags, timeout);
    for (int i = 0; i < r; i++)
        CHECK(vec[i].msg_len == sizeof(int) && numbers[i] == i);
    for (; left > 0; left--)
        CHECK(recv(s[0], &v, sizeof v, 0) == sizeof v);
    CHECK(pthread_join(t, NULL) == 0);
    return r;
}

static void *gathers(void *arg)
{
    static char all[MANY * PIECE];
    int fd = (int)(intptr_t)arg;
    usleep(5000);
    CHECK(recv(fd, all, sizeof all, MSG_WAITALL) == sizeof all);
    for (size_t i = 0; i < sizeof all; i++)
        CHECK(all[i] == (char)('a' + i / PIECE));
    return NULL;
}

static void stream(void)
{
    static char data[MANY][PIECE];
    int s[2], size = 4096;
    prepare();
    for (int i = 0; i < MANY; i++) {
        memset(data[i], 'a' + i, PIECE);
        iov[i] = (struct iovec){data[i], PIECE};
    }
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    pthread_t t = spawn(gathers, (void *)(intptr_t)s[1]);
    CHECK(sendmmsg(s[0], vec, MANY, 0) == MANY && pthread_join(t, NULL) == 0);
    for (int i = 0; i < MANY; i++)
        CHECK(vec[i].msg_len == PIECE);
    close(s[0]), close(s[1]);
}

/* They are there or not: nobody waits for them. */
static void no_errors(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    double start = now();
    struct timeval tv = {20, 0};
    CHECK(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0);
    CHECK(recvmmsg(s, vec, 1, MSG_ERRQUEUE, NULL) == -1 && errno == EAGAIN && now() - start < 10);
    close(s);
}

static void *drain_late(void *arg)
{
    static char b[1 << 20];
    int fd = (int)(intptr_t)arg;
    usleep(100000);
    while (recv(fd, b, sizeof b, MSG_DONTWAIT) > 0)
        ;
    return NULL;
}

/* Nothing follows a message that SO_SNDTIMEO has cut off. */
static void cut_off(void)
{
    static char big[4 << 20];
    int s[2];
    struct timeval tv = {0, 60000};
    prepare();
    iov[0] = (struct iovec){big, sizeof big};
    iov[1] = (struct iovec){big, 1};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) == 0);
    pthread_t t = spawn(drain_late, (void *)(intptr_t)s[1]);
    CHECK(sendmmsg(s[0], vec, 2, 0) == 1 && vec[0].msg_len < sizeof big);
    CHECK(pthread_join(t, NULL) == 0);
    close(s[0]), close(s[1]);
}

int main(void)
{
    int s[2];
    struct timespec zero = {0, 0}, short_time = {0, 90000000}, bad = {0, -1}, longer = {5, 0};
    struct timeval tv = {0, 300000};
    double start = now();
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
    CHECK(recvmmsg(s[0], vec, 1, MSG_DONTWAIT, NULL) == -1 && errno == EAGAIN);
    CHECK(recvmmsg(s[0], vec, 1, 0, &bad) == -1 && errno == EINVAL);
    CHECK(receive(s, 4, 0, NULL, 0) == 4);
    CHECK(receive(s, MANY, MSG_WAITFORONE, NULL, 3) == 1);
    CHECK(receive(s, 4, 0, &longer, 0) == 4 && longer.tv_sec == 4);
    CHECK(receive(s, 4, 0, &zero, 3) == 1);
    CHECK(receive(s, MANY, 0, &short_time, 2) == 2 && short_time.tv_nsec == 0);
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0);
    CHECK(receive(s, MANY, 0, NULL, 0) == 4); // the fifth never comes
    CHECK(recvmmsg(s[0], vec, 1, 0, NULL) == -1 && errno == EAGAIN);
    CHECK(recvmmsg(s[0], vec, 0, 0, NULL) == 0 && sendmmsg(s[0], vec, 0, 0) == 0);
    CHECK(recvmmsg(0, vec, 1, 0, NULL) == -1 && errno == ENOTSOCK);
    CHECK(now() - start >= 1.2 && now() - start < 20);
    no_errors();
    stream();
    cut_off();
    puts("messages ok");
    return 0;
}
