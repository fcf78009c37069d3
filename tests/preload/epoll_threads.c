// methods
// Proves: each of several threads runs its own epoll loop (level, edge and one-shot), several
// threads may wait on one epoll, epoll_wait times out, and changes made while another thread waits
// take effect.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { LOOPS = 10, CONNECTIONS = 20, ROUNDS = 30 };

static int shared;
static atomic_int taken;

static void *talker(void *arg)
{
    int *fd = arg;
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < CONNECTIONS; i++) {
            char c = (char)(r + i), back;
            CHECK(write(fd[i], &c, 1) == 1 && read(fd[i], &back, 1) == 1 && back == c);
        }
    for (int i = 0; i < CONNECTIONS; i++)
        CHECK(close(fd[i]) == 0);
    return NULL;
}

static void *loop(void *arg)
{
    int ep = epoll_create1(EPOLL_CLOEXEC), mine[CONNECTIONS], theirs[CONNECTIONS],
        open = CONNECTIONS;
    unsigned extra = (unsigned[]){0, EPOLLET, EPOLLONESHOT}[(intptr_t)arg % 3];
    CHECK(ep >= 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        int p[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
        mine[i] = p[0], theirs[i] = p[1];
        struct epoll_event e = {.events = EPOLLIN | extra, .data.u32 = (unsigned)i};
        CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, mine[i], &e) == 0);
    }
    pthread_t t = spawn(talker, theirs);
    while (open > 0) {
        struct epoll_event e[8];
        int n = epoll_wait(ep, e, 8, 20000);
        CHECK(n > 0);
        for (int k = 0; k < n; k++) {
            int fd = mine[e[k].data.u32];
            char b[8];
            ssize_t got = recv(fd, b, sizeof b, MSG_DONTWAIT);
            if (got > 0) {
                CHECK(write(fd, b, (size_t)got) == got);
                e[k].events = EPOLLIN | extra;
                if (extra == EPOLLONESHOT)
                    CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e[k]) == 0);
            } else {
                CHECK(got == 0);
                CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL) == 0 && close(fd) == 0);
                open--;
            }
        }
    }
    struct epoll_event e;
    double start = now();
    CHECK(epoll_wait(ep, &e, 1, 50) == 0 && now() - start >= 0.049 && now() - start < 2);
    CHECK(epoll_wait(ep, &e, 0, 50) == -1 && errno == EINVAL);
    CHECK(pthread_join(t, NULL) == 0 && close(ep) == 0);
    return NULL;
}

static void *sharer(void *arg)
{
    struct epoll_event e;
    CHECK(epoll_wait(shared, &e, 1, -1) == 1); // one-shot: exactly one thread per event
    atomic_fetch_add(&taken, 1);
    return arg;
}

int main(void)
{
    pthread_t t[LOOPS], s[5];
    int fd[5];
    CHECK((shared = epoll_create1(0)) >= 0);
    for (int i = 0; i < 5; i++)
        s[i] = spawn(sharer, NULL);
    for (intptr_t i = 0; i < LOOPS; i++)
        t[i] = spawn(loop, (void *)i);
    for (int i = 0; i < 5; i++) {
        CHECK((fd[i] = eventfd(1, 0)) >= 0);
        struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT};
        CHECK(epoll_ctl(shared, EPOLL_CTL_ADD, fd[i], &e) == 0);
        usleep(1000);
    }
    for (int i = 0; i < 5; i++)
        CHECK(pthread_join(s[i], NULL) == 0);
    for (int i = 0; i < LOOPS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("one-shot taken %d\n", taken);
    return 0;
}
