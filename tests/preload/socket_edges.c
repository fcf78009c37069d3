// methods
// Proves: the rarer answers of sockets: connecting twice, while in progress, and after failure; listeners that are shut
// down; nothing sent or received on each kind; urgent data and its mark; the error queue; SO_RCVLOWAT; SO_LINGER;
// streams that fail after a part was moved.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "check.h"

static char *volatile nowhere = (char *)8;

static const char *error(long r)
{
    return r < 0 ? strerrorname_np(errno) : "ok";
}

#define SHOW(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long r_ = (call);                                                                          \
        printf("%s = %ld %s\n", #call, r_, error(r_));                                             \
    } while (0)

#define SAY(call)                                                                                  \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long r_ = (call);                                                                          \
        printf("%s: %s\n", #call, error(r_));                                                      \
    } while (0)

static int handed_down; /* SO_RCVLOWAT of listeners */

static int listener(struct sockaddr_in *at)
{
    socklen_t size = sizeof *at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(fd, (void *)at, size) == 0 && listen(fd, 10) == 0);
    CHECK(getsockname(fd, (void *)at, &size) == 0);
    if (handed_down)
        CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &handed_down, sizeof handed_down) == 0);
    return fd;
}

static int dial(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (const void *)at, sizeof *at) == 0);
    return fd;
}

static void pair_tcp(int s[2])
{
    struct sockaddr_in at;
    int l = listener(&at);
    s[0] = dial(&at);
    s[1] = accept(l, NULL, NULL);
    CHECK(s[1] >= 0 && close(l) == 0);
}

static struct sockaddr_in at;

static void connecting(void)
{
    struct sockaddr_in any = {.sin_family = AF_UNSPEC}, dead;
    int l = listener(&at), c = dial(&at);
    SAY(connect(c, (void *)&at, sizeof at));
    SAY(connect(c, (void *)&any, sizeof any)); // dissolves
    SAY(connect(c, (void *)&at, sizeof at));
    SAY(connect(l, (void *)&at, sizeof at));
    close(c);
    c = socket(AF_INET, SOCK_STREAM, 0);
    int d = listener(&dead);
    close(d);
    SAY(connect(c, (void *)&dead, sizeof dead));
    SAY(connect(c, (void *)&dead, sizeof dead));
    SAY(connect(c, (void *)&at, sizeof at));
    SAY(connect(c, (void *)&at, 3));
    SAY(connect(c, NULL, sizeof at));
    close(c);
    c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SAY(connect(c, (void *)&at, sizeof at));
    struct pollfd p = {c, POLLOUT, 0};
    SHOW(poll(&p, 1, 1000));
    SAY(connect(c, (void *)&at, sizeof at));
    SAY(connect(c, (void *)&at, sizeof at));
    close(c);
    c = socket(AF_INET, SOCK_DGRAM, 0);
    SAY(connect(c, (void *)&at, sizeof at));
    SAY(connect(c, (void *)&at, sizeof at));
    SAY(send(c, "x", 1, 0));
    SAY(connect(0, (void *)&at, sizeof at));
    SAY(connect(-1, (void *)&at, sizeof at));
    SAY(accept(c, NULL, NULL));
    SAY(accept(-1, NULL, NULL));
    close(c);
    c = socket(AF_INET, SOCK_STREAM, 0);
    SAY(accept(c, NULL, NULL));
    SAY(accept4(l, NULL, NULL, 0x1234));
    SAY(recv(c, &any, 1, 0));
    SAY(send(c, &any, 1, MSG_NOSIGNAL));
    SAY(shutdown(c, SHUT_RD));
    close(c);
    SHOW(shutdown(l, SHUT_RDWR));
    SAY(accept(l, NULL, NULL));
    SHOW(listen(l, 5));
    CHECK(close(l) == 0);
}

static void nothing(int s, const char *kind)
{
    char b[8];
    struct iovec none[2] = {{b, 0}, {b, 0}};
    struct msghdr m = {.msg_iov = none, .msg_iovlen = 2}, empty = {0};
    printf("-- %s\n", kind);
    SHOW(write(s, b, 0));
    SHOW(writev(s, none, 2));
    SHOW(writev(s, none, 0));
    SHOW(send(s, b, 0, MSG_NOSIGNAL));
    SHOW(sendto(s, b, 0, 0, NULL, 0));
    SHOW(sendmsg(s, &m, 0));
    SHOW(sendmsg(s, &empty, 0));
    SHOW(recv(s, b, 0, MSG_DONTWAIT));
    SHOW(recv(s, b, 8, MSG_DONTWAIT));
    SHOW(read(s, b, 0));
    SHOW(readv(s, none, 0));
}

static void nothings(void)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    static const char *const names[] = {"unix stream", "unix datagram", "unix seqpacket"};
    int s[2], p[2];
    char b[8];
    for (int i = 0; i < 3; i++) {
        CHECK(socketpair(AF_UNIX, types[i], 0, s) == 0);
        nothing(s[0], names[i]);
        SHOW(recv(s[1], b, 8, MSG_DONTWAIT));
        SHOW(recv(s[1], b, 8, MSG_DONTWAIT));
        SAY(read(s[1], NULL, 0));
        CHECK(close(s[1]) == 0);
        SHOW(recv(s[0], b, 0, MSG_DONTWAIT));
        SAY(send(s[0], b, 0, MSG_NOSIGNAL));
        SAY(send(s[0], b, 1, MSG_NOSIGNAL));
        close(s[0]);
    }
    pair_tcp(s);
    nothing(s[0], "tcp");
    CHECK(write(s[1], "abc", 3) == 3);
    SHOW(recv(s[0], b, 0, 0));
    SHOW(read(s[0], b, 0));
    SHOW(recv(s[0], b, 8, 0));
    SAY(recv(s[0], nowhere, 8, MSG_DONTWAIT));
    SAY(send(s[0], nowhere, 8, 0));
    close(s[0]);
    close(s[1]);
    CHECK(pipe(p) == 0);
    SHOW(write(p[1], b, 0));
    SHOW(read(p[0], b, 0));
    SAY(read(p[1], b, 1));
    SAY(write(p[0], b, 1));
    SAY(write(p[1], nowhere, 8));
    SAY(read(-1, b, 0));
    SAY(write(-1, b, 0));
    SAY(recv(p[0], b, 1, 0));
    SAY(send(p[0], b, 1, 0));
    SAY(recvmsg(p[0], &(struct msghdr){0}, 0));
    close(p[0]);
    close(p[1]);
}

static void *late_urgent(void *arg)
{
    usleep(5000);
    CHECK(send(*(int *)arg, "ab!", 3, MSG_OOB) == 3);
    usleep(5000);
    CHECK(send(*(int *)arg, "cd", 2, 0) == 2);
    return NULL;
}

static void urgent(void)
{
    int s[2], mark = 0;
    char b[8];
    pair_tcp(s);
    pthread_t t = spawn(late_urgent, &s[1]);
    struct pollfd p = {s[0], POLLPRI, 0};
    SHOW(poll(&p, 1, 2000));
    printf("%#x\n", (unsigned)p.revents);
    SHOW(recv(s[0], b, 8, MSG_OOB));
    CHECK(b[0] == '!');
    SAY(recv(s[0], b, 8, MSG_OOB));
    SHOW(ioctl(s[0], SIOCATMARK, &mark));
    printf("mark %d\n", mark);
    SHOW(recv(s[0], b, 8, 0));
    SHOW(sockatmark(s[0]));
    SHOW(recv(s[0], b, 8, 0));
    CHECK(memcmp(b, "cd", 2) == 0 && pthread_join(t, NULL) == 0);
    int on = 1;
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on) == 0);
    t = spawn(late_urgent, &s[1]);
    SHOW(recv(s[0], b, 8, 0)); // stops at the mark
    SHOW(sockatmark(s[0]));
    SHOW(recv(s[0], b, 1, 0));
    CHECK(pthread_join(t, NULL) == 0);
    SHOW(recv(s[0], b, 8, MSG_WAITALL | MSG_DONTWAIT));
    close(s[0]);
    close(s[1]);
}

static void *close_udp(void *arg)
{
    usleep(5000);
    char b = 'x';
    struct sockaddr_in *to = arg;
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(sendto(s, &b, 1, 0, (void *)to, sizeof *to) == 1);
    close(s);
    return NULL;
}

static void error_queue(void)
{
    struct sockaddr_in dead = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       me;
    socklen_t size = sizeof dead;
    int gone = socket(AF_INET, SOCK_DGRAM, 0), s = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    char b[64], control[512];
    CHECK(bind(gone, (void *)&dead, sizeof dead) == 0 &&
          getsockname(gone, (void *)&dead, &size) == 0);
    close(gone);
    CHECK(setsockopt(s, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0);
    struct iovec iov = {b, sizeof b};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    SHOW(recvmsg(s, &m, MSG_ERRQUEUE)); // never waits
    CHECK(sendto(s, "lost", 4, 0, (void *)&dead, sizeof dead) == 4);
    struct pollfd p = {s, POLLIN, 0};
    SHOW(poll(&p, 1, 2000));
    printf("%#x\n", (unsigned)p.revents);
    m.msg_controllen = sizeof control;
    SHOW(recvmsg(s, &m, MSG_ERRQUEUE));
    CHECK(m.msg_flags & MSG_ERRQUEUE);
    struct sock_extended_err *e = (void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
    printf("%s\n", strerrorname_np((int)e->ee_errno));
    CHECK(connect(s, (void *)&dead, sizeof dead) == 0 && send(s, "lost", 4, 0) == 4);
    SAY(recv(s, b, sizeof b, 0)); // refused: the blocked call ends
    close(s);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    me = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size = sizeof me;
    CHECK(bind(s, (void *)&me, sizeof me) == 0 && getsockname(s, (void *)&me, &size) == 0);
    pthread_t t = spawn(close_udp, &me);
    SHOW(recv(s, b, 0, 0)); // a datagram is taken though no byte of it fits
    SAY(recv(s, b, 1, MSG_DONTWAIT));
    CHECK(pthread_join(t, NULL) == 0);
    close(s);
}

static void *by_threes(void *arg)
{
    for (int i = 0; i < 4; i++) {
        usleep(5000);
        CHECK(send(*(int *)arg, "abc", 3, 0) == 3);
    }
    return NULL;
}

static void low_water(void)
{
    int s[2], least = 10;
    char b[64];
    pair_tcp(s);
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least) == 0);
    pthread_t t = spawn(by_threes, &s[1]);
    struct pollfd p = {s[0], POLLIN, 0};
    SHOW(poll(&p, 1, 2000));
    SHOW(recv(s[0], b, sizeof b, MSG_PEEK));
    SHOW(recv(s[0], b, sizeof b, 0));
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(by_threes, &s[1]);
    SHOW(recv(s[0], b, sizeof b, 0)); // waits for as many
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(by_threes, &s[1]);
    SHOW(recv(s[0], b, 4, 0)); // or for all it asks
    CHECK(pthread_join(t, NULL) == 0 && shutdown(s[1], SHUT_WR) == 0);
    SHOW(read(s[0], b, sizeof b));
    SHOW(recv(s[0], b, sizeof b, 0));
    close(s[0]);
    close(s[1]);
}

/* early: set before there were threads */
static void low_water_inherited(int early[2])
{
    int s[2];
    char b[64];
    struct timeval soon = {0, 50000};
    struct iovec iov[2] = {{b, 5}, {b + 5, 20}};
    handed_down = 10;
    pair_tcp(s);
    handed_down = 0;
    pthread_t t = spawn(by_threes, &s[0]);
    SHOW(recv(s[1], b, sizeof b, 0));
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(by_threes, &early[0]);
    SHOW(recv(early[1], b, sizeof b, 0));
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
    CHECK(send(s[0], "abc", 3, 0) == 3);
    SHOW(recv(s[1], b, sizeof b, 0)); // not enough in time
    CHECK(send(s[0], "abc", 3, 0) == 3);
    SHOW(readv(s[1], iov, 2));
    close(s[0]);
    close(s[1]);
}

static void *resets(void *arg)
{
    int s = *(int *)arg;
    char b[100];
    struct linger reset = {1, 0};
    usleep(20000);
    CHECK(recv(s, b, sizeof b, 0) > 0);
    CHECK(setsockopt(s, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0 && close(s) == 0);
    return NULL;
}

/* What has gone is told first, then the error, and SIGPIPE comes with the call after that. */
static void failing_midway(void)
{
    static char big[16 << 20];
    struct iovec halves[2] = {{big, sizeof big / 2}, {big, sizeof big / 2}};
    int s[2];
    for (int how = 0; how < 2; how++) {
        pair_tcp(s);
        pthread_t t = spawn(resets, &s[1]);
        ssize_t r = how == 0 ? send(s[0], big, sizeof big, 0) : writev(s[0], halves, 2);
        printf("a part: %d\n", r > 0 && r < (ssize_t)sizeof big);
        SAY(send(s[0], big, 1, 0));
        SAY(send(s[0], big, 1, MSG_NOSIGNAL));
        CHECK(pthread_join(t, NULL) == 0 && close(s[0]) == 0);
    }
    pair_tcp(s);
    CHECK(send(s[0], "x", 1, 0) == 1 && send(s[1], "abc", 3, 0) == 3);
    pthread_t t = spawn(resets, &s[1]);
    SHOW(recv(s[0], big, 10, MSG_WAITALL));
    SAY(recv(s[0], big, 10, 0));
    CHECK(pthread_join(t, NULL) == 0 && close(s[0]) == 0);
}

static void whole_message(void)
{
    int s[2];
    char b[8], c[8];
    struct iovec iov[2] = {{b, 5}, {c, 7}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    pair_tcp(s);
    pthread_t t = spawn(by_threes, &s[1]);
    SHOW(recvmsg(s[0], &m, MSG_WAITALL));
    CHECK(memcmp(b, "abcab", 5) == 0 && memcmp(c, "cabcabc", 7) == 0);
    CHECK(pthread_join(t, NULL) == 0 && close(s[0]) == 0 && close(s[1]) == 0);
}

static void lingering(void)
{
    int s[2];
    char b;
    pair_tcp(s);
    struct linger reset = {1, 0};
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0 && close(s[0]) == 0);
    SAY(recv(s[1], &b, 1, 0));
    SHOW(recv(s[1], &b, 1, 0));
    SAY(send(s[1], &b, 1, MSG_NOSIGNAL));
    close(s[1]);
}

static void *all(void *arg)
{
    connecting();
    nothings();
    urgent();
    error_queue();
    low_water();
    low_water_inherited(arg);
    failing_midway();
    whole_message();
    lingering();
    return NULL;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    int early[2], least = 10;
    pair_tcp(early);
    CHECK(setsockopt(early[1], SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least) == 0);
    CHECK(pthread_join(spawn(all, early), NULL) == 0);
    return 0;
}
