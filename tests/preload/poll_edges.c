// methods
// Proves: poll, ppoll, select and pselect tell every result bit, take empty and huge sets, name invalid descriptors as
// natively, leave errno alone when they succeed, write the remaining time, and end with EINTR under their mask.
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "check.h"

static int look(int fd, short events, int ms)
{
    struct pollfd p = {fd, events, 0};
    errno = EDOM;
    int n = poll(&p, 1, ms);
    CHECK(errno == EDOM);
    printf("%d %#x\n", n, (unsigned)p.revents);
    return n;
}

struct later {
    int ms, what, fd;
};

static void *act(void *arg)
{
    struct later *l = arg;
    char b[65536];
    usleep((useconds_t)l->ms * 1000);
    switch (l->what) {
    case 'w':
        CHECK(write(l->fd, "x", 1) == 1);
        break;
    case 'r':
        CHECK(read(l->fd, b, sizeof b) > 0);
        break;
    case 'c':
        CHECK(close(l->fd) == 0);
        break;
    case 's':
        CHECK(shutdown(l->fd, SHUT_WR) == 0);
        break;
    case 'o':
        CHECK(send(l->fd, "!", 1, MSG_OOB) == 1);
        break;
    }
    return NULL;
}

static pthread_t later(struct later *l, int ms, int what, int fd)
{
    *l = (struct later){ms, what, fd};
    return spawn(act, l);
}

static void join(pthread_t t)
{
    CHECK(pthread_join(t, NULL) == 0);
}

static void tcp(int s[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(l, (void *)&at, size) == 0 && listen(l, 1) == 0 &&
          getsockname(l, (void *)&at, &size) == 0);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(s[0], (void *)&at, size) == 0 && (s[1] = accept(l, NULL, NULL)) >= 0 &&
          close(l) == 0);
}

static void bits(void)
{
    struct later l;
    int p[2], s[2],
        all = POLLIN | POLLRDNORM | POLLRDBAND | POLLPRI | POLLOUT | POLLWRNORM | POLLRDHUP;
    char big[70000];
    CHECK(pipe(p) == 0);
    pthread_t t = later(&l, 5, 'w', p[1]);
    look(p[0], (short)all, -1);
    join(t);
    t = later(&l, 5, 'c', p[1]);
    CHECK(read(p[0], big, 1) == 1);
    look(p[0], 0, -1); // hang-up without asking
    join(t);
    close(p[0]);
    CHECK(pipe(p) == 0 && fcntl(p[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(p[1], big, sizeof big) > 0)
        ;
    look(p[1], POLLOUT, 10);
    t = later(&l, 5, 'r', p[0]);
    look(p[1], POLLOUT, -1);
    join(t);
    t = later(&l, 5, 'c', p[0]);
    look(p[1], 0, -1); // no reader: an error
    join(t);
    close(p[1]);
    tcp(s);
    look(s[0], (short)all, -1);
    t = later(&l, 5, 'w', s[1]);
    look(s[0], POLLIN | POLLRDHUP | POLLPRI, -1);
    join(t);
    t = later(&l, 5, 'o', s[1]);
    look(s[0], POLLPRI, -1);
    join(t);
    t = later(&l, 5, 's', s[1]);
    look(s[0], POLLRDHUP, -1);
    join(t);
    look(s[0], (short)all, -1);
    CHECK(read(s[0], big, sizeof big) > 0 && shutdown(s[0], SHUT_WR) == 0);
    look(s[0], 0, 1000);
    close(s[0]);
    close(s[1]);
    int fresh = socket(AF_INET, SOCK_STREAM, 0);
    look(fresh, (short)all, 0);
    look(fresh, (short)all, -1);
    close(fresh);
}

static void invalid(void)
{
    struct pollfd p[3] = {{-1, POLLIN, 0x7f}, {900, POLLIN, 0}, {-5, POLLIN, 3}};
    CHECK(poll(p, 3, -1) == 1);
    printf("%#x %#x %#x\n", (unsigned)p[0].revents, (unsigned)p[1].revents, (unsigned)p[2].revents);
    printf("%d\n", poll(p, 1, 10));
    printf("%d\n", poll(NULL, 0, 10));
    fd_set r;
    struct timeval tv = {0, 10000}, bad = {0, -1};
    FD_ZERO(&r);
    FD_SET(50, &r);
    CHECK(select(51, &r, NULL, NULL, NULL) == -1 && errno == EBADF && FD_ISSET(50, &r));
    CHECK(select(-1, &r, NULL, NULL, &tv) == -1 && errno == EINVAL);
    CHECK(select(51, &r, NULL, NULL, &bad) == -1 && errno == EINVAL);
    CHECK(select(50, &r, NULL, NULL, &tv) == 0 && tv.tv_sec == 0 && tv.tv_usec == 0);
    tv = (struct timeval){0, 10000};
    CHECK(select(0, NULL, NULL, NULL, &tv) == 0);
    struct timespec nsec = {0, 1000000000}, ten = {0, 10000000};
    CHECK(pselect(0, NULL, NULL, NULL, &nsec, NULL) == -1 && errno == EINVAL);
    CHECK(pselect(0, NULL, NULL, NULL, &ten, NULL) == 0 && ten.tv_nsec == 10000000);
    CHECK(ppoll(NULL, 0, &nsec, NULL) == -1 && errno == EINVAL);
    CHECK(ppoll(NULL, 0, &ten, NULL) == 0 && ten.tv_nsec == 10000000);
}

static void left(void)
{
    struct later l;
    int p[2];
    fd_set r, w, e;
    struct timeval tv = {5, 0};
    CHECK(pipe(p) == 0);
    pthread_t t = later(&l, 20, 'w', p[1]);
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&e);
    FD_SET(p[0], &r);
    FD_SET(p[0], &e);
    FD_SET(p[0], &w);
    CHECK(select(p[0] + 1, &r, &w, &e, &tv) == 1);
    CHECK(FD_ISSET(p[0], &r) && !FD_ISSET(p[0], &w) && !FD_ISSET(p[0], &e));
    CHECK(tv.tv_sec == 4 && tv.tv_usec < 985000);
    join(t);
    FD_ZERO(&r);
    FD_SET(p[1], &r);
    FD_SET(p[0], &w);
    tv = (struct timeval){0, 10000};
    CHECK(select(p[1] + 1, &r, &w, NULL, &tv) == 0 && !FD_ISSET(p[1], &r) && !FD_ISSET(p[0], &w));
    close(p[0]);
    close(p[1]);
}

static void huge(void)
{
    enum { MANY = 3000 };
    struct rlimit limit;
    struct pollfd *set = calloc(MANY, sizeof *set);
    struct later l;
    int p[2];
    char c;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && pipe(p) == 0);
    limit.rlim_cur = limit.rlim_max < 8000 ? limit.rlim_max : 8000;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int n = limit.rlim_cur < MANY + 100 ? 400 : MANY;
    for (int i = 0; i < n; i++) {
        set[i] = (struct pollfd){dup(p[0]), POLLIN, 0};
        CHECK(set[i].fd >= 0);
    }
    CHECK(poll(set, (nfds_t)n, 10) == 0);
    pthread_t t = later(&l, 5, 'w', p[1]);
    CHECK(poll(set, (nfds_t)n, -1) == n && set[0].revents == POLLIN &&
          set[n - 1].revents == POLLIN);
    join(t);
    CHECK(read(p[0], &c, 1) == 1);
    int top = set[n - 1].fd;
    size_t bytes = (size_t)(top / 64 + 1) * 8;
    fd_set *r = calloc(1, bytes);
    ((unsigned long *)r)[top / 64] |= 1ul << top % 64;
    t = later(&l, 5, 'w', p[1]);
    CHECK(select(top + 1, r, NULL, NULL, NULL) == 1 &&
          ((unsigned long *)r)[top / 64] == 1ul << top % 64);
    join(t);
    for (int i = 0; i < n; i++)
        close(set[i].fd);
    free(r);
    free(set);
    close(p[0]);
    close(p[1]);
}

static atomic_int handled;

static void on_signal(int sig)
{
    handled += sig == SIGUSR1;
}

static pthread_t waiter;

static void *signaller(void *arg)
{
    usleep(20000);
    CHECK(pthread_kill(waiter, SIGUSR1) == 0);
    return arg;
}

static void interrupted(void)
{
    struct sigaction act = {.sa_handler = on_signal,
                            .sa_flags = SA_RESTART}; // these calls do not restart
    sigset_t usr, none, now_blocked;
    struct timespec long_time = {5, 0};
    struct timeval tv = {5, 0};
    sigemptyset(&usr);
    sigemptyset(&none);
    sigaddset(&usr, SIGUSR1);
    waiter = pthread_self();
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    pthread_t t = spawn(signaller, NULL);
    CHECK(poll(NULL, 0, -1) == -1 && errno == EINTR && handled == 1);
    join(t);
    t = spawn(signaller, NULL);
    CHECK(select(0, NULL, NULL, NULL, &tv) == -1 && errno == EINTR && handled == 2);
    printf("left: %d\n", tv.tv_sec == 4);
    join(t);
    CHECK(pthread_sigmask(SIG_BLOCK, &usr, NULL) == 0 && pthread_kill(waiter, SIGUSR1) == 0);
    CHECK(poll(NULL, 0, 20) == 0 && handled == 2);
    CHECK(ppoll(NULL, 0, &long_time, &none) == -1 && errno == EINTR && handled == 3);
    t = spawn(signaller, NULL);
    CHECK(pselect(0, NULL, NULL, NULL, NULL, &none) == -1 && errno == EINTR && handled == 4);
    join(t);
    CHECK(pthread_kill(waiter, SIGUSR1) == 0);
    struct pollfd p = {-1, 0, 0};
    struct timespec zero = {0, 0};
    printf("%d\n", ppoll(&p, 1, &zero, &usr));
    int pipe_fd[2];
    CHECK(pipe(pipe_fd) == 0 && write(pipe_fd[1], "x", 1) == 1);
    p = (struct pollfd){pipe_fd[0], POLLIN, 0};
    printf("ready and pending: %d\n", ppoll(&p, 1, NULL, &none));
    printf("handled: %d\n", handled);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &usr, &now_blocked) == 0 &&
          sigismember(&now_blocked, SIGUSR1));
    printf("handled: %d\n", handled);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

static void *all(void *arg)
{
    bits();
    invalid();
    left();
    huge();
    interrupted();
    return arg;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    join(spawn(all, NULL));
    return 0;
}
