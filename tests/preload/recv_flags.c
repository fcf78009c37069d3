// Proves: MSG_PEEK leaves the data, MSG_WAITALL waits for all of it over several writes or the
// end, MSG_TRUNC tells a datagram's size, an empty datagram is a message, short reads lose
// nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int s[2], d[2];

static void *slow_writer(void *arg)
{
    for (int i = 0; i < 10; i++) {
        usleep(1000);
        CHECK(send(s[1], &"0123456789"[i], 1, 0) == 1);
    }
    usleep(1000);
    CHECK(send(s[1], "abc", 3, 0) == 3 && shutdown(s[1], SHUT_WR) == 0);
    return arg;
}

static void *datagrams(void *arg)
{
    usleep(2000);
    CHECK(send(d[1], "long datagram", 13, 0) == 13);
    CHECK(send(d[1], "", 0, 0) == 0);
    usleep(2000);
    CHECK(send(d[1], "last", 4, 0) == 4);
    return arg;
}

int main(void)
{
    pthread_t t, u;
    char b[64] = "";
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 &&
          socketpair(AF_UNIX, SOCK_DGRAM, 0, d) == 0);
    CHECK(pthread_create(&t, NULL, slow_writer, NULL) == 0 &&
          pthread_create(&u, NULL, datagrams, NULL) == 0);
    CHECK(recv(s[0], b, 1, MSG_PEEK) == 1 && b[0] == '0');
    CHECK(recv(s[0], b, 10, MSG_WAITALL) == 10 && memcmp(b, "0123456789", 10) == 0);
    CHECK(recv(s[0], b, 10, MSG_WAITALL) == 3 && memcmp(b, "abc", 3) == 0);
    CHECK(recv(s[0], b, 10, MSG_WAITALL) == 0);
    CHECK(recv(d[0], b, 4, MSG_PEEK | MSG_TRUNC) == 13);
    CHECK(recv(d[0], b, 4, MSG_TRUNC) == 13 && memcmp(b, "long", 4) == 0);
    CHECK(recv(d[0], b, sizeof b, 0) == 0);
    CHECK(read(d[0], b, sizeof b) == 4 && memcmp(b, "last", 4) == 0);
    CHECK(pthread_join(t, NULL) == 0 && pthread_join(u, NULL) == 0);
    puts("receive flags ok");
    return 0;
}
