// Proves: a signal that meets an event that is gone again still ends the call: poll, select and epoll_wait with EINTR
// always, recv when the handler has no SA_RESTART. The event wakes the call, which finds nothing: the handler runs
// between its two waits. A helper process makes the event while the CPU is held, so that who takes it away wakes
// together with the call.
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "check.h"

enum { TIMES = 10, SETTLE_US = 3000, TIMEOUT_MS = 2000 };

static int order[2], told[2], pair[2];
static pthread_t waiter;
static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
    (void)sig;
    handled++;
}

/* Tells the killer first, so that it is woken first. */
static void help(void)
{
    char c;
    while (read(order[0], &c, 1) == 1)
        if (write(told[1], "t", 1) != 1 || write(pair[1], "x", 1) != 1)
            _exit(1);
    _exit(0);
}

static void *hold_cpu(void *arg)
{
    double start = now();
    CHECK(write(order[1], "o", 1) == 1);
    while (now() < start + 0.004)
        ;
    return arg;
}

static void *kill_when_told(void *arg)
{
    char c;
    CHECK(read(told[0], &c, 1) == 1);
    recv(pair[0], &c, 1, MSG_DONTWAIT);
    CHECK(pthread_kill(waiter, SIGUSR1) == 0);
    return arg;
}

static int by_poll(void)
{
    struct pollfd p = {.fd = pair[0], .events = POLLIN};
    return poll(&p, 1, TIMEOUT_MS);
}

static int by_select(void)
{
    struct timeval t = {.tv_sec = TIMEOUT_MS / 1000};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    return select(pair[0] + 1, &set, NULL, NULL, &t);
}

static int by_epoll(void)
{
    static int epoll = -1;
    struct epoll_event e = {.events = EPOLLIN};
    if (epoll < 0) {
        epoll = epoll_create1(0);
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &e) == 0);
    }
    return epoll_wait(epoll, &e, 1, TIMEOUT_MS);
}

static int by_recv(void)
{
    char c;
    return (int)recv(pair[0], &c, 1, 0);
}

static void *start_late(void *arg)
{
    usleep(SETTLE_US);
    return hold_cpu(arg);
}

/* The event may be seen before it is taken away; then the handler runs after the call. What must not be is that the
   call goes on as if nothing had happened. */
static void try(const char *name, int (*call)(void))
{
    for (int i = 0; i < TIMES; i++) {
        char c;
        handled = 0;
        pthread_t killer = spawn(kill_when_told, NULL), holder = spawn(start_late, NULL);
        int r = call();
        CHECK(r == 1 || (r == -1 && errno == EINTR && handled == 1));
        pthread_join(killer, NULL);
        pthread_join(holder, NULL);
        while (recv(pair[0], &c, 1, MSG_DONTWAIT) == 1)
            ;
    }
    printf("%s: ended by an event or a signal\n", name);
}

int main(void)
{
    struct sigaction restarts = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ends = {.sa_handler = on_signal};
    CHECK(pipe(order) == 0 && pipe(told) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    if (fork() == 0) {
        close(order[1]);
        help();
    }
    waiter = pthread_self();
    sigaction(SIGUSR1, &restarts, NULL);
    try("poll", by_poll);
    try("select", by_select);
    try("epoll_wait", by_epoll);
    sigaction(SIGUSR1, &ends, NULL);
    struct timeval most = {.tv_sec = TIMEOUT_MS / 1000};
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most) == 0);
    try("recv", by_recv);
    close(order[1]);
    CHECK(wait(NULL) > 0);
    return 0;
}
