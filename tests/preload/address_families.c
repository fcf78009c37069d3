// Proves: TCP and UDP over IPv6, and UNIX stream, datagram and packet sockets with abstract and file names, connect, wait
// and tell addresses as natively; connecting to a full UNIX listener waits until it accepts, or as long as SO_SNDTIMEO.
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "check.h"

struct peer {
    int fd, type;
};

static void *answers(void *arg)
{
    struct peer *p = arg;
    char b[16];
    if (p->type == SOCK_DGRAM) {
        struct sockaddr_storage from;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(p->fd, b, sizeof b, 0, (void *)&from, &size);
        CHECK(n == 4 && sendto(p->fd, b, 4, 0, (void *)&from, size) == 4);
        return NULL;
    }
    int c = accept(p->fd, NULL, NULL);
    CHECK(c >= 0 && recv(c, b, sizeof b, 0) == 4 && send(c, b, 4, 0) == 4 && close(c) == 0);
    return NULL;
}

static void talk(const char *what, int type, void *at, socklen_t size, void *mine,
                 socklen_t my_size)
{
    struct sockaddr_storage name;
    socklen_t room = sizeof name;
    char b[16];
    int family = ((struct sockaddr *)at)->sa_family;
    struct peer p = {socket(family, type, 0), type};
    if (p.fd < 0 || bind(p.fd, at, size) < 0) {
        printf("%s: %s\n", what, strerrorname_np(errno));
        return;
    }
    CHECK(getsockname(p.fd, (void *)&name, &room) == 0 &&
          (type == SOCK_DGRAM || listen(p.fd, 5) == 0));
    pthread_t t = spawn(answers, &p);
    int c = socket(family, type, 0);
    CHECK(!mine || bind(c, mine, my_size) == 0);
    usleep(2000);
    CHECK(connect(c, (void *)&name, room) == 0 && send(c, "ping", 4, 0) == 4);
    CHECK(recv(c, b, sizeof b, 0) == 4 && memcmp(b, "ping", 4) == 0 && pthread_join(t, NULL) == 0);
    room = sizeof name;
    CHECK(getpeername(c, (void *)&name, &room) == 0);
    printf("%s: family %d, %u bytes of address\n", what, name.ss_family, (unsigned)room);
    CHECK(close(c) == 0 && close(p.fd) == 0);
}

static socklen_t unix_name(struct sockaddr_un *at, const char *name, int abstract)
{
    memset(at, 0, sizeof *at);
    at->sun_family = AF_UNIX;
    int n = snprintf(at->sun_path + abstract, sizeof at->sun_path - 1, "%s.%07d", name, getpid());
    return (socklen_t)offsetof(struct sockaddr_un, sun_path) + (socklen_t)n + 1;
}

static void *accepts_late(void *arg)
{
    usleep(20000);
    for (int i = 0; i < 4; i++)
        CHECK(accept(*(int *)arg, NULL, NULL) >= 0);
    return NULL;
}

static void full_backlog(void)
{
    struct sockaddr_un at;
    struct timeval limit = {0, 30000};
    socklen_t size = unix_name(&at, "evy-full", 1);
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c[4];
    CHECK(bind(l, (void *)&at, size) == 0 && listen(l, 1) == 0);
    for (int i = 0; i < 4; i++)
        c[i] = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(c[0], (void *)&at, size) == 0 && connect(c[1], (void *)&at, size) == 0);
    CHECK(setsockopt(c[2], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    double start = now();
    CHECK(connect(c[2], (void *)&at, size) == -1 && errno == EAGAIN);
    double took = now() - start;
    CHECK(took >= 0.029 && took < 2);
    pthread_t t = spawn(accepts_late, &l);
    CHECK(connect(c[3], (void *)&at, size) == 0 && connect(c[2], (void *)&at, size) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    for (int i = 0; i < 4; i++)
        close(c[i]);
    close(l);
}

static void *all(void *arg)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_un at, mine;
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    static const char *const names[] = {"stream", "datagram", "packet"};
    talk("TCP 6", SOCK_STREAM, &six, sizeof six, NULL, 0);
    talk("UDP 6", SOCK_DGRAM, &six, sizeof six, NULL, 0);
    for (int i = 0; i < 3; i++)
        for (int abstract = 0; abstract < 2; abstract++) {
            socklen_t size = unix_name(&at, abstract ? "evy-at" : "/tmp/evy-at", abstract);
            socklen_t my_size = unix_name(&mine, abstract ? "evy-me" : "/tmp/evy-me", abstract);
            talk(names[i], types[i], &at, size, &mine, my_size);
            if (!abstract)
                CHECK(unlink(at.sun_path) == 0 && unlink(mine.sun_path) == 0);
        }
    full_backlog();
    return arg;
}

int main(void)
{
    CHECK(pthread_join(spawn(all, NULL), NULL) == 0);
    return 0;
}
