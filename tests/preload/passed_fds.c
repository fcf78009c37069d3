// methods
// Proves: descriptors sent to another process by SCM_RIGHTS block there and here as their program left them, also a
// listener that threads accept on and a duplicate; received ones and numbers above the soft limit work;
// MSG_WAITALL stops where descriptors come and loses none.
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "check.h"

static void pass(int via, int fd, int many)
{
    char data = 'f', control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec iov = {&data, 1};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    struct mmsghdr mm = {.msg_hdr = m};
    CHECK(many ? sendmmsg(via, &mm, 1, 0) == 1 : sendmsg(via, &m, 0) == 1);
}

static int take(int via)
{
    char data, control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {&data, 1};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd;
    CHECK(recvmsg(via, &m, 0) == 1 && CMSG_FIRSTHDR(&m));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    return fd;
}

// The other process: tells the flag of what it gets, then works with it.
static void peer(int via)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    for (int i = 0; i < 3; i++) {
        int fd = take(via), flag = !!(fcntl(fd, F_GETFL) & O_NONBLOCK);
        CHECK(write(via, &flag, sizeof flag) == sizeof flag && close(fd) == 0);
    }
    int listener = take(via), c;
    CHECK(getsockname(listener, (void *)&at, &size) == 0 &&
          (c = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
    CHECK(connect(c, (void *)&at, size) == 0 && write(c, "hello", 5) == 5);
    pass(via, c, 0);
    _exit(0);
}

static void *acceptor(void *arg)
{
    int fd = accept((int)(intptr_t)arg, NULL, NULL);
    CHECK(fd >= 0);
    return (void *)(intptr_t)fd;
}

static int listener(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(fd, (void *)&at, sizeof at) == 0 && listen(fd, 10) == 0);
    return fd;
}

static int told(int via)
{
    int flag;
    CHECK(read(via, &flag, sizeof flag) == sizeof flag);
    return flag;
}

static void *conversation(void *arg)
{
    int via = *(int *)arg, pair[2], l = listener();
    char b[8];
    void *accepted, *other;
    pthread_t t = spawn(acceptor, (void *)(intptr_t)l), u = spawn(acceptor, (void *)(intptr_t)l);
    usleep(20000); // both wait
    pass(via, l, 0);
    printf("listener: %d\n", told(via));
    int copy = dup(l);
    pass(via, copy, 1);
    printf("its duplicate: %d\n", told(via));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    pass(via, pair[0], 0);
    printf("set by the program: %d\n", told(via));
    pass(via, l, 0);
    int c = take(via);
    printf("received: %d\n", !!(fcntl(c, F_GETFL) & O_NONBLOCK));
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    CHECK(getsockname(copy, (void *)&at, &size) == 0);
    int second = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(second, (void *)&at, size) == 0 && write(second, "hello", 5) == 5);
    CHECK(pthread_join(t, &accepted) == 0 && pthread_join(u, &other) == 0);
    CHECK(read((int)(intptr_t)accepted, b, 8) == 5 && read((int)(intptr_t)other, b, 8) == 5);
    CHECK(write((int)(intptr_t)accepted, "x", 1) == 1 && write((int)(intptr_t)other, "x", 1) == 1);
    CHECK(read(c, b, 8) == 1 && read(second, b, 8) == 1);
    return NULL;
}

static void *late_write(void *arg)
{
    usleep(5000);
    CHECK(write((int)(intptr_t)arg, "high", 4) == 4);
    return NULL;
}

static void *above_the_limit(void *arg)
{
    struct rlimit old, low = {200, 0};
    int p[2];
    char b[8];
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0 && pipe(p) == 0);
    int r = fcntl(p[0], F_DUPFD, 700), w = fcntl(p[1], F_DUPFD, 700);
    low.rlim_max = old.rlim_max;
    CHECK(r >= 700 && w > r && setrlimit(RLIMIT_NOFILE, &low) == 0);
    printf("dup2: %d\n", dup2(p[0], 300));
    pthread_t t = spawn(late_write, (void *)(intptr_t)w);
    CHECK(read(r, b, 8) == 4 && pthread_join(t, NULL) == 0);
    int last = -1, fd;
    while ((fd = dup(p[0])) >= 0)
        last = fd;
    printf("last below the limit: %d %s\n", last, strerrorname_np(errno));
    printf("%s\n", socket(AF_INET, SOCK_STREAM, 0) < 0 ? strerrorname_np(errno) : "?");
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
    return arg;
}

static void *pass_by_pieces(void *arg)
{
    int via = *(int *)arg;
    for (int i = 0; i < 4; i++) {
        usleep(5000);
        if (i != 2)
            pass(via, via, 0);
        CHECK(write(via, "piece", 5) == 5);
    }
    return arg;
}

static void take_all(int via, size_t n)
{
    char data[100], control[CMSG_SPACE(sizeof(int))];
    int fd = -1;
    struct iovec iov = {data, n};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t r = recvmsg(via, &m, MSG_WAITALL);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    printf("waited for %zu: %zd, flags %#x%s\n", n, r, (unsigned)m.msg_flags,
           c ? ", a descriptor" : "");
    CHECK(!c || close(fd) == 0);
}

static void *wait_for_all(void *arg)
{
    int s[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    pthread_t t = spawn(pass_by_pieces, &s[1]);
    for (int i = 0; i < 3; i++)
        take_all(s[0], 6);
    take_all(s[0], 5);
    take_all(s[0], 5);
    CHECK(pthread_join(t, NULL) == 0 && close(s[0]) == 0 && close(s[1]) == 0);
    return arg;
}

int main(void)
{
    int via[2], status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, via) == 0);
    pid_t child = fork();
    if (child == 0)
        peer(via[1]);
    CHECK(close(via[1]) == 0 && pthread_join(spawn(conversation, &via[0]), NULL) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(pthread_join(spawn(wait_for_all, NULL), NULL) == 0);
    CHECK(pthread_join(spawn(above_the_limit, NULL), NULL) == 0);
    return 0;
}
