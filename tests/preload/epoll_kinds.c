// methods
// Proves: epoll instances used by threads answer as natively: level, edge, one-shot and exclusive interest, nested
// instances, sets that change while somebody waits, descriptors closed while in the set, timeouts of all three calls.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "check.h"

static int add(int ep, int op, int fd, unsigned events)
{
    struct epoll_event e = {.events = events, .data.fd = fd};
    return epoll_ctl(ep, op, fd, &e);
}

static int look(int ep, int ms)
{
    struct epoll_event e[8];
    int n = epoll_wait(ep, e, 8, ms);
    printf("%d", n);
    for (int i = 0; i < n; i++)
        printf(" %#x", e[i].events);
    printf("%s%s\n", n < 0 ? " " : "", n < 0 ? strerrorname_np(errno) : "");
    return n;
}

struct later {
    int ms, what, a, b;
};

static void *act(void *arg)
{
    struct later *l = arg;
    usleep((useconds_t)l->ms * 1000);
    switch (l->what) {
    case 'w':
        CHECK(write(l->a, "12345678", 8) == 8);
        break;
    case 'm':
        CHECK(add(l->a, EPOLL_CTL_MOD, l->b, EPOLLOUT) == 0);
        break;
    case 'a':
        CHECK(add(l->a, EPOLL_CTL_ADD, l->b, EPOLLOUT) == 0);
        break;
    case 'd':
        CHECK(add(l->a, EPOLL_CTL_DEL, l->b, 0) == 0);
        break;
    case 'c':
        CHECK(close(l->a) == 0);
        break;
    case 's':
        CHECK(shutdown(l->a, SHUT_WR) == 0);
        break;
    }
    return NULL;
}

static pthread_t later(struct later *l, int ms, int what, int a, int b)
{
    *l = (struct later){ms, what, a, b};
    return spawn(act, l);
}

static void join(pthread_t t)
{
    CHECK(pthread_join(t, NULL) == 0);
}

static void triggers(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC), s[2];
    char b[64];
    struct later l;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 &&
          add(ep, EPOLL_CTL_ADD, s[0], EPOLLIN) == 0);
    CHECK(add(ep, EPOLL_CTL_ADD, s[0], EPOLLIN) == -1 && errno == EEXIST);
    CHECK(add(ep, EPOLL_CTL_ADD, ep, EPOLLIN) == -1 && errno == EINVAL);
    CHECK(add(ep, EPOLL_CTL_DEL, s[1], 0) == -1 && errno == ENOENT);
    look(ep, 10);
    pthread_t t = later(&l, 5, 'w', s[1], 0);
    look(ep, -1);
    look(ep, -1); // level: still there
    join(t);
    CHECK(read(s[0], b, 64) == 8);
    look(ep, 0);
    CHECK(add(ep, EPOLL_CTL_MOD, s[0], EPOLLIN | EPOLLET | EPOLLRDHUP) == 0);
    t = later(&l, 5, 'w', s[1], 0);
    look(ep, -1);
    look(ep, 10); // edge: told once
    join(t);
    t = later(&l, 5, 'w', s[1], 0);
    look(ep, 1000);
    join(t);
    CHECK(add(ep, EPOLL_CTL_MOD, s[0], EPOLLIN | EPOLLONESHOT) == 0);
    look(ep, -1);
    look(ep, 10);
    CHECK(add(ep, EPOLL_CTL_MOD, s[0], EPOLLIN | EPOLLONESHOT) == 0);
    look(ep, -1);
    CHECK(read(s[0], b, 64) == 16);
    CHECK(add(ep, EPOLL_CTL_MOD, s[0], EPOLLIN | EPOLLRDHUP) == 0);
    t = later(&l, 5, 's', s[1], 0);
    look(ep, -1);
    join(t);
    t = later(&l, 5, 'c', s[1], 0);
    CHECK(add(ep, EPOLL_CTL_MOD, s[0], EPOLLHUP) == 0);
    look(ep, -1);
    join(t);
    CHECK(close(s[0]) == 0);
    look(ep, 0); // gone from the set
    CHECK(close(ep) == 0);
}

static void changes(void)
{
    int ep = epoll_create(1), s[2], q[2];
    struct later l;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 &&
          add(ep, EPOLL_CTL_ADD, s[0], EPOLLIN) == 0);
    pthread_t t = later(&l, 5, 'm', ep, s[0]);
    look(ep, 2000);
    join(t);
    CHECK(add(ep, EPOLL_CTL_DEL, s[0], 0) == 0);
    t = later(&l, 5, 'a', ep, s[0]);
    look(ep, 2000);
    join(t);
    CHECK(add(ep, EPOLL_CTL_MOD, s[0], EPOLLIN) == 0);
    t = later(&l, 5, 'd', ep, s[0]);
    look(ep, 20);
    join(t);
    CHECK(add(ep, EPOLL_CTL_ADD, s[0], EPOLLIN) == 0 && pipe(q) == 0);
    t = later(&l, 5, 'c', s[0], 0);
    look(ep, 20); // closed while waiting: nothing
    join(t);
    int copy = dup(q[0]);
    CHECK(add(ep, EPOLL_CTL_ADD, q[0], EPOLLIN) == 0 && close(q[0]) == 0);
    t = later(&l, 5, 'w', q[1], 0);
    look(ep, 2000); // the duplicate keeps it in the set
    join(t);
    CHECK(close(copy) == 0 && close(q[1]) == 0 && close(s[1]) == 0);
    look(ep, 0);
    struct epoll_event e;
    CHECK(epoll_wait(ep, &e, 0, 10) == -1 && errno == EINVAL);
    CHECK(epoll_wait(0, &e, 1, 10) == -1);
    printf("%s\n", strerrorname_np(errno));
    CHECK(epoll_wait(-1, &e, 1, 10) == -1 && errno == EBADF);
    CHECK(close(ep) == 0);
}

static void nested(void)
{
    int inner = epoll_create1(0), outer = epoll_create1(0), e = eventfd(0, 0);
    uint64_t n;
    struct later l;
    CHECK(add(inner, EPOLL_CTL_ADD, e, EPOLLIN) == 0 &&
          add(outer, EPOLL_CTL_ADD, inner, EPOLLIN) == 0);
    CHECK(add(inner, EPOLL_CTL_ADD, outer, EPOLLIN) == -1 && errno == ELOOP);
    pthread_t t = later(&l, 5, 'w', e, 0);
    look(outer, -1);
    look(inner, -1);
    join(t);
    struct pollfd p = {outer, POLLIN, 0};
    CHECK(poll(&p, 1, -1) == 1);
    printf("poll %#x\n", (unsigned)p.revents);
    CHECK(read(e, &n, 8) == 8);
    printf("poll %d\n", poll(&p, 1, 10));
    t = later(&l, 5, 'w', e, 0);
    fd_set r;
    FD_ZERO(&r);
    FD_SET(outer, &r);
    CHECK(select(outer + 1, &r, NULL, NULL, NULL) == 1 && FD_ISSET(outer, &r));
    join(t);
    CHECK(close(e) == 0 && close(inner) == 0 && close(outer) == 0);
}

static atomic_int woken;

static void *exclusive(void *arg)
{
    int *ep = arg;
    struct epoll_event e;
    if (epoll_wait(ep[0], &e, 1, 300) == 1) {
        uint64_t n;
        CHECK(read(ep[1], &n, 8) == 8);
        woken++;
    }
    return NULL;
}

static void exclusives(void)
{
    int e = eventfd(0, EFD_SEMAPHORE), sets[4][2];
    uint64_t two = 2;
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        sets[i][0] = epoll_create1(0);
        sets[i][1] = e;
        CHECK(add(sets[i][0], EPOLL_CTL_ADD, e, EPOLLIN | EPOLLEXCLUSIVE) == 0);
        CHECK(add(sets[i][0], EPOLL_CTL_MOD, e, EPOLLIN) == -1 && errno == EINVAL);
    }
    t[0] = spawn(exclusive, sets[0]);
    t[1] = spawn(exclusive, sets[1]);
    usleep(20000);
    CHECK(write(e, &two, 8) == 8);
    usleep(20000);
    CHECK(write(e, &two, 8) == 8);
    join(t[0]);
    join(t[1]);
    printf("exclusive: %d\n", woken);
    for (int i = 0; i < 4; i++)
        close(sets[i][0]);
    close(e);
}

static void kinds(void)
{
    int ep = epoll_create1(0), files = inotify_init1(IN_CLOEXEC),
        timer = timerfd_create(CLOCK_MONOTONIC, 0);
    int out[2], status;
    char b[256], path[] = "/tmp/epoll_kinds.XXXXXX", name[64];
    struct itimerspec in5 = {.it_value = {0, 5000000}};
    CHECK(mkdtemp(path) && inotify_add_watch(files, path, IN_CREATE) >= 0 && pipe(out) == 0);
    CHECK(add(ep, EPOLL_CTL_ADD, timer, EPOLLIN) == 0 &&
          timerfd_settime(timer, 0, &in5, NULL) == 0);
    look(ep, -1);
    CHECK(read(timer, b, 8) == 8 && add(ep, EPOLL_CTL_ADD, files, EPOLLIN) == 0);
    snprintf(name, sizeof name, "%s/x", path);
    pid_t child = fork();
    if (child == 0) {
        usleep(5000);
        _exit(close(open(name, O_CREAT | O_WRONLY, 0600)));
    }
    look(ep, -1);
    CHECK(read(files, b, sizeof b) > 0 && waitpid(child, &status, 0) == child);
    CHECK(unlink(name) == 0 && rmdir(path) == 0);
    child = fork();
    if (child == 0) {
        usleep(5000);
        _exit(0);
    }
    int pid = (int)syscall(SYS_pidfd_open, child, 0);
    CHECK(add(ep, EPOLL_CTL_ADD, pid, EPOLLIN) == 0);
    look(ep, -1);
    CHECK(waitpid(child, &status, 0) == child);
    sigset_t usr;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    int sig = signalfd(-1, &usr, SFD_CLOEXEC);
    CHECK(add(ep, EPOLL_CTL_DEL, pid, 0) == 0 && add(ep, EPOLL_CTL_ADD, sig, EPOLLIN) == 0);
    kill(getpid(), SIGUSR1);
    look(ep, 2000);
    struct signalfd_siginfo info;
    CHECK(read(sig, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
    CHECK(add(ep, EPOLL_CTL_ADD, 1000000, EPOLLIN) == -1 && errno == EBADF);
    int file = open("/proc/self/exe", O_RDONLY);
    CHECK(add(ep, EPOLL_CTL_ADD, file, EPOLLIN) == -1 && errno == EPERM);
    int all[] = {ep, files, timer, out[0], out[1], pid, sig, file};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK(close(all[i]) == 0);
}

static void timeouts(void)
{
    errno = EDOM; // calls that succeed leave it alone
    int ep = epoll_create1(0);
    struct epoll_event e;
    struct timespec ts = {0, 20000000}, bad = {0, 1000000000}, zero = {0, 0};
    double start = now();
    printf("%d\n", epoll_pwait2(ep, &e, 1, &ts, NULL));
    double took = now() - start;
    CHECK(errno == EDOM && took >= 0.02 && took < 1);
    CHECK(epoll_pwait2(ep, &e, 1, &bad, NULL) == -1 && errno == EINVAL);
    printf("%d\n", epoll_pwait2(ep, &e, 1, &zero, NULL));
    start = now();
    printf("%d\n", epoll_pwait(ep, &e, 1, 20, NULL));
    took = now() - start;
    CHECK(took >= 0.02 && took < 1 && close(ep) == 0);
}

static void *all(void *arg)
{
    triggers();
    changes();
    nested();
    exclusives();
    kinds();
    timeouts();
    return arg;
}

int main(void)
{
    sigset_t usr;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &usr, NULL) == 0);
    join(spawn(all, NULL));
    return 0;
}
