// Proves: calls that block, made by number through syscall(), stop only their own thread and answer
// as natively: read and write families, sockets, poll, select, epoll, sleeps with what is left,
// children; close by number makes the descriptor's number free for reuse; no cancellation point.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int pairs[2];

static void *answers(void *arg)
{
    char c;
    for (int i = 0; i < (int)(intptr_t)arg; i++) {
        CHECK(syscall(SYS_read, pairs[1], &c, 1L) == 1);
        usleep(2000);
        CHECK(syscall(SYS_write, pairs[1], &c, 1L) == 1);
    }
    return NULL;
}

static void ask(void)
{
    CHECK(syscall(SYS_sendto, pairs[0], "x", 1L, 0L, NULL, 0L) == 1);
}

static void reads(void)
{
    char c = 0;
    struct iovec v = {&c, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    pthread_t t = spawn(answers, (void *)4);
    ask();
    CHECK(syscall(SYS_read, pairs[0], &c, 1L) == 1 && c == 'x');
    CHECK(syscall(SYS_writev, pairs[0], &v, 1L) == 1);
    CHECK(syscall(SYS_readv, pairs[0], &v, 1L) == 1);
    CHECK(syscall(SYS_sendmsg, pairs[0], &m, 0L) == 1);
    CHECK(syscall(SYS_recvmsg, pairs[0], &m, 0L) == 1);
    ask();
    CHECK(syscall(SYS_recvfrom, pairs[0], &c, 1L, 0L, NULL, NULL) == 1);
    CHECK(syscall(SYS_recvfrom, pairs[0], &c, 1L, (long)MSG_DONTWAIT, NULL, NULL) == -1);
    CHECK(errno == EAGAIN && pthread_join(t, NULL) == 0);
}

static void waits(void)
{
    struct pollfd p = {.fd = pairs[0], .events = POLLIN};
    struct timespec limit = {5, 0};
    struct {
        const sigset_t *mask;
        size_t size;
    } no_mask = {NULL, 8};
    struct epoll_event e = {.events = EPOLLIN};
    fd_set set;
    char c;
    int ep = epoll_create1(0);
    pthread_t t = spawn(answers, (void *)3);
    CHECK(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, pairs[0], &e) == 0);
    ask();
    CHECK(syscall(SYS_ppoll, &p, 1L, &limit, NULL, 8L) == 1 && p.revents == POLLIN);
    CHECK(limit.tv_sec == 4 && read(pairs[0], &c, 1) == 1);
    ask();
    FD_ZERO(&set);
    FD_SET(pairs[0], &set);
    limit = (struct timespec){5, 0};
    CHECK(syscall(SYS_pselect6, pairs[0] + 1L, &set, NULL, NULL, &limit, &no_mask) == 1);
    CHECK(FD_ISSET(pairs[0], &set) && limit.tv_sec == 4 && read(pairs[0], &c, 1) == 1);
    ask();
    CHECK(syscall(SYS_epoll_pwait, ep, &e, 1L, -1L, NULL, 8L) == 1 && e.events == EPOLLIN);
    CHECK(read(pairs[0], &c, 1) == 1 && syscall(SYS_close, ep) == 0);
    CHECK(syscall(SYS_close, ep) == -1 && errno == EBADF && pthread_join(t, NULL) == 0);
}

static void *connects(void *arg)
{
    struct sockaddr_in *at = arg;
    long s = socket(AF_INET, SOCK_STREAM, 0);
    usleep(2000);
    CHECK(syscall(SYS_connect, s, at, sizeof *at) == 0 && syscall(SYS_close, s) == 0);
    return NULL;
}

static void sockets(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    char c;
    CHECK(bind(s, (void *)&at, size) == 0 && listen(s, 5) == 0);
    CHECK(getsockname(s, (void *)&at, &size) == 0);
    for (int i = 0; i < 5; i++) { // the same numbers for sockets and pipes in turn
        int p[2];
        pthread_t t = spawn(connects, &at);
        long a = syscall(SYS_accept4, s, NULL, NULL, 0L);
        CHECK(a >= 0 && read((int)a, &c, 1) == 0);
        CHECK(syscall(SYS_close, a) == 0 && pthread_join(t, NULL) == 0);
        CHECK(pipe(p) == 0 && (p[0] == a || p[1] == a) && write(p[1], "y", 1) == 1 &&
              read(p[0], &c, 1) == 1);
        CHECK(syscall(SYS_close, p[0]) == 0 && syscall(SYS_close, p[1]) == 0);
    }
    close(s);
}

static void sleeps(void)
{
    struct timespec t = {0, 20000000}, bad = {0, -1}, at;
    double start = now();
    CHECK(syscall(SYS_nanosleep, &t, NULL) == 0);
    CHECK(syscall(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, 0L, &t, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &at);
    CHECK(syscall(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, (long)TIMER_ABSTIME, &at, NULL) == 0);
    CHECK(syscall(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, 0L, &bad, NULL) == -1);
    CHECK(errno == EINVAL && now() - start >= 0.039 && now() - start < 5);
    CHECK(syscall(SYS_sched_yield) == 0 && syscall(SYS_getpid) == getpid());
}

static void children(void)
{
    int status = 0;
    siginfo_t info = {0};
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            usleep(10000);
            _exit(3);
        }
        if (i == 0)
            CHECK(syscall(SYS_wait4, (long)pid, &status, 0L, NULL) == pid && status == 3 << 8);
        else
            CHECK(syscall(SYS_waitid, (long)P_PID, (long)pid, &info, (long)WEXITED, NULL) == 0 &&
                  info.si_pid == pid && info.si_status == 3);
    }
    CHECK(syscall(SYS_wait4, -1L, &status, 0L, NULL) == -1 && errno == ECHILD);
}

static atomic_int turns, stop;

static void *ticker(void *arg)
{
    while (!stop) {
        turns++;
        usleep(1000);
    }
    return arg;
}

static void *uncancelled(void *arg)
{
    char c;
    CHECK(syscall(SYS_read, pairs[0], &c, 1L) == 1);
    *(int *)arg = 1;
    pthread_testcancel();
    return NULL;
}

static void refusals(void)
{
    struct timespec soon = {0, 1};
    CHECK(syscall(SYS_set_robust_list, &soon, -1L) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_clock_nanosleep, (long)CLOCK_THREAD_CPUTIME_ID, 0L, &soon, NULL) == -1 &&
          errno == EOPNOTSUPP);
}

static void *body(void *arg)
{
    refusals();
    reads();
    waits();
    sockets();
    sleeps();
    children();
    return arg;
}

int main(void)
{
    pthread_t k = spawn(ticker, NULL), t;
    int reached = 0;
    void *result;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs) == 0);
    t = spawn(body, NULL);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(turns >= 20);
    body(NULL);
    t = spawn(uncancelled, &reached);
    usleep(10000);
    CHECK(pthread_cancel(t) == 0);
    usleep(10000);
    CHECK(!reached && write(pairs[1], "z", 1) == 1);
    CHECK(pthread_join(t, &result) == 0 && reached && result == PTHREAD_CANCELED);
    stop = 1;
    CHECK(pthread_join(k, NULL) == 0);
    puts("numbers ok");
    return 0;
}
