// methods
// Proves: a thread blocked in read, readv, write, recv, recvfrom, recvmsg, accept, connect-free
// poll, select or epoll_wait is cancelled there, runs its cleanup handler once and is joined with
// PTHREAD_CANCELED; the fd stays usable.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

enum { KINDS = 12 };

static const char *const names[KINDS] = {"read pipe",    "readv pipe", "write pipe", "recv",
                                         "recvfrom",     "recvmsg",    "accept",     "poll",
                                         "poll nothing", "select",     "epoll_wait", "read socket"};
static int pipe_r, pipe_w, full_w, sock[2], udp, listener, ep;
static atomic_int cleaned;

static void clean(void *arg)
{
    (void)arg;
    atomic_fetch_add(&cleaned, 1);
}

static void block(int kind)
{
    char c[4096] = {0};
    struct iovec v = {c, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    struct pollfd f = {pipe_r, POLLIN, 0};
    struct epoll_event e;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipe_r, &set);
    switch (kind) {
    case 0:
        (void)!read(pipe_r, c, 1);
        break;
    case 1:
        (void)!readv(pipe_r, &v, 1);
        break;
    case 2:
        for (;;)
            (void)!write(full_w, c, sizeof c);
    case 3:
        recv(sock[0], c, 1, 0);
        break;
    case 4:
        recvfrom(udp, c, 1, 0, NULL, NULL);
        break;
    case 5:
        recvmsg(sock[0], &m, 0);
        break;
    case 6:
        accept(listener, NULL, NULL);
        break;
    case 7:
        poll(&f, 1, -1);
        break;
    case 8:
        poll(NULL, 0, 100000);
        break;
    case 9:
        select(pipe_r + 1, &set, NULL, NULL, NULL);
        break;
    case 10:
        epoll_wait(ep, &e, 1, -1);
        break;
    case 11:
        (void)!read(sock[0], c, 1);
        break;
    }
}

static void *body(void *arg)
{
    pthread_cleanup_push(clean, NULL);
    block((int)(intptr_t)arg);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    int p[2], full[2];
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(pipe(p) == 0 && pipe(full) == 0);
    pipe_r = p[0], pipe_w = p[1], full_w = full[1];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sock) == 0);
    CHECK((udp = socket(AF_INET, SOCK_DGRAM, 0)) >= 0 && bind(udp, (void *)&any, sizeof any) == 0);
    CHECK((listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0 &&
          bind(listener, (void *)&any, sizeof any) == 0);
    CHECK(listen(listener, 5) == 0 && (ep = epoll_create1(0)) >= 0);
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, pipe_r, &(struct epoll_event){.events = EPOLLIN}) == 0);
    for (int round = 0; round < 3; round++) {
        pthread_t t[KINDS];
        void *result;
        cleaned = 0;
        for (int i = 0; i < KINDS; i++)
            CHECK(pthread_create(&t[i], NULL, body, (void *)(intptr_t)i) == 0);
        if (round != 1) // round 1 cancels before most of them even run
            usleep(30000);
        for (int i = 0; i < KINDS; i++)
            CHECK(pthread_cancel(t[i]) == 0);
        for (int i = 0; i < KINDS; i++) {
            CHECK(pthread_join(t[i], &result) == 0);
            if (result != PTHREAD_CANCELED)
                printf("%s: not cancelled\n", names[i]);
        }
        CHECK(round == 1 || cleaned == KINDS); // in round 1 a body may never have begun
    }
    char c;
    CHECK(write(pipe_w, "a", 1) == 1 && read(pipe_r, &c, 1) == 1 && c == 'a');
    CHECK(write(sock[1], "b", 1) == 1 && read(sock[0], &c, 1) == 1 && c == 'b');
    puts("cancelled in I/O");
    return 0;
}
