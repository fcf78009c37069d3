// methods
// Proves: a thread that polls what is always ready, until another thread has done something, lets it run: by poll,
// ppoll, select, pselect and epoll_wait.
#define _GNU_SOURCE
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

#include "check.h"

static const double MOST = 5; // seconds

static int fd, epoll;
static atomic_int done;

static int by_poll(void)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 1000);
}

static int by_ppoll(void)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return ppoll(&p, 1, NULL, NULL);
}

static int by_select(void)
{
    struct timeval second = {.tv_sec = 1};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return select(fd + 1, NULL, &set, NULL, &second);
}

static int by_pselect(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return pselect(fd + 1, NULL, &set, NULL, NULL, NULL);
}

static int by_epoll(void)
{
    struct epoll_event e;
    return epoll_wait(epoll, &e, 1, 1000);
}

static void *do_it(void *arg)
{
    for (int i = 0; i < 20; i++)
        sched_yield();
    atomic_store(&done, 1);
    return arg;
}

static void try(const char *name, int (*call)(void))
{
    double start = now();
    atomic_store(&done, 0);
    pthread_t t = spawn(do_it, NULL);
    while (!atomic_load(&done)) {
        CHECK(call() == 1);
        CHECK(now() < start + MOST);
    }
    CHECK(pthread_join(t, NULL) == 0);
    printf("%s: done\n", name);
}

int main(void)
{
    struct epoll_event e = {.events = EPOLLOUT};
    CHECK((fd = eventfd(0, 0)) >= 0 && (epoll = epoll_create1(0)) >= 0);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0);
    try("poll", by_poll);
    try("ppoll", by_ppoll);
    try("select", by_select);
    try("pselect", by_pselect);
    try("epoll_wait", by_epoll);
    return 0;
}
