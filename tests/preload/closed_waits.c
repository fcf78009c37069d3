// Proves: what threads that wait meet when another one shuts down, duplicates over, or closes what they wait on.
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "check.h"

static int fd, result, error;

static void *reads(void *arg)
{
    char b[8];
    result = (int)read(fd, b, sizeof b);
    error = result < 0 ? errno : 0;
    return arg;
}

static void *writes(void *arg)
{
    static char b[1 << 22];
    result = (int)send(fd, b, sizeof b, MSG_NOSIGNAL);
    error = result < 0 ? errno : 0;
    result = result < 0 ? -1 : result > 0 && result < (int)sizeof b;
    return arg;
}

static void *accepts(void *arg)
{
    result = accept(fd, NULL, NULL);
    error = result < 0 ? errno : 0;
    if (result >= 0)
        close(result);
    return arg;
}

static void *polls(void *arg)
{
    struct pollfd p = {fd, POLLIN, 0};
    result = poll(&p, 1, 200);
    error = p.revents;
    return arg;
}

static void told(const char *what, pthread_t t)
{
    CHECK(pthread_join(t, NULL) == 0);
    if (result > 0)
        result = 1;
    printf("%s: %d %d\n", what, result, error);
}

static pthread_t waits(void *(*how)(void *))
{
    pthread_t t = spawn(how, NULL);
    usleep(20000);
    return t;
}

static int listener(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int l = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(l, (void *)&at, sizeof at) == 0 && listen(l, 5) == 0);
    return l;
}

static void pairs(int type, const char *name)
{
    int s[2];
    printf("-- %s\n", name);
    static const int ways[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < 3; i++) {
            CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
            fd = s[0];
            if (side == 0 ? ways[i] == SHUT_WR : ways[i] == SHUT_RD || type == SOCK_DGRAM)
                continue; // goes on waiting
            pthread_t t = waits(reads);
            CHECK(shutdown(s[side], ways[i]) == 0);
            told(side ? "read, its peer shut down" : "read, shut down", t);
            close(s[0]);
            close(s[1]);
        }
    CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
    fd = s[0];
    if (type == SOCK_STREAM) {
        pthread_t t = waits(writes);
        CHECK(shutdown(s[0], SHUT_WR) == 0);
        told("write, shut down", t);
    }
    close(s[0]);
    close(s[1]);
}

static void *all(void *arg)
{
    int s[2], p[2];
    pairs(SOCK_STREAM, "stream");
    pairs(SOCK_SEQPACKET, "seqpacket");
    fd = listener();
    pthread_t t = waits(accepts);
    CHECK(shutdown(fd, SHUT_RDWR) == 0);
    told("accept, shut down", t);
    close(fd);
    CHECK(pipe(p) == 0);
    fd = p[0];
    t = waits(reads);
    CHECK(close(p[1]) == 0);
    told("read, last writer gone", t);
    close(p[0]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    fd = s[0];
    t = waits(polls);
    CHECK(shutdown(s[0], SHUT_RDWR) == 0);
    told("poll, shut down", t);
    close(s[0]);
    close(s[1]);
    // A poll does not notice that its descriptor is closed, nor a set of epoll's.
    CHECK(pipe(p) == 0);
    fd = p[0];
    t = waits(polls);
    CHECK(close(p[0]) == 0);
    told("poll, closed", t);
    close(p[1]);
    return arg;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK(pthread_join(spawn(all, NULL), NULL) == 0);
    return 0;
}
