// Proves: the second names that libraries and old programs use for a call, __read for read, reach the
// same green call: threads that use only them wait for each other on one hub.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
ssize_t __read(int fd, void *buf, size_t n);
ssize_t __write(int fd, const void *buf, size_t n);
ssize_t __pread64(int fd, void *buf, size_t n, off_t offset);
ssize_t __pwrite64(int fd, const void *buf, size_t n, off_t offset);
ssize_t __send(int fd, const void *buf, size_t n, int flags);
int __close(int fd);
int __connect(int fd, const struct sockaddr *addr, socklen_t len);
int __dup2(int from, int to);
int __fcntl(int fd, int cmd, ...);
int __open(const char *path, int flags, ...);
int __open64(const char *path, int flags, ...);
int __pipe(int fds[2]);
int __poll(struct pollfd *fds, nfds_t n, int timeout);
int __select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
int __nanosleep(const struct timespec *duration, struct timespec *left);
int __sched_yield(void);
int __sigaction(int sig, const struct sigaction *act, struct sigaction *old);
int __sigsuspend(const sigset_t *mask);
pid_t __waitpid(pid_t pid, int *status, int options);
pid_t __fork(void);
pid_t __libc_fork(void);
sighandler_t bsd_signal(int sig, sighandler_t handler);
int __pthread_key_create(pthread_key_t *key, void (*destructor)(void *));

static int there[2], back[2];
static volatile sig_atomic_t handled;

static void *echo(void *arg)
{
    char c;
    while (__read(there[0], &c, 1) == 1)
        CHECK(__write(back[1], &c, 1) == 1);
    CHECK(__close(back[1]) == 0);
    return arg;
}

static void pipes(void)
{
    struct timeval soon = {.tv_sec = 5};
    pthread_t t;
    char c = 0;
    CHECK(__pipe(there) == 0 && __pipe(back) == 0);
    CHECK(pthread_create(&t, NULL, echo, NULL) == 0);
    for (int i = 0; i < 10; i++) {
        struct pollfd p = {.fd = back[0], .events = POLLIN};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(back[0], &set);
        CHECK(__write(there[1], "x", 1) == 1);
        CHECK(i % 2 ? __poll(&p, 1, 5000) == 1
                    : __select(back[0] + 1, &set, NULL, NULL, &soon) == 1);
        CHECK(__read(back[0], &c, 1) == 1 && c == 'x');
    }
    CHECK(__close(there[1]) == 0 && pthread_join(t, NULL) == 0);
    CHECK(__dup2(back[0], there[0]) == there[0] && __read(there[0], &c, 1) == 0);
}

static void *accept_one(void *arg)
{
    char c;
    int fd = accept(*(int *)arg, NULL, NULL);
    CHECK(fd >= 0 && __read(fd, &c, 1) == 1 && c == 'y');
    CHECK(__pread64(fd, &c, 1, 0) == -1 && __pwrite64(fd, &c, 1, 0) == -1 && __close(fd) == 0);
    return NULL;
}

static void sockets(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = ""};
    pthread_t t;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(name.sun_path + 1, 50, "second_names.%d", (int)getpid());
    CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 5) == 0);
    CHECK(pthread_create(&t, NULL, accept_one, &listener) == 0);
    __sched_yield();
    CHECK(__connect(fd, (struct sockaddr *)&name, sizeof name) == 0);
    CHECK(__send(fd, "y", 1, 0) == 1 && pthread_join(t, NULL) == 0);
    CHECK(__fcntl(fd, F_GETFL) == O_RDWR && __close(fd) == 0 && __close(listener) == 0);
}

static void note(int sig)
{
    handled = sig;
}

static void signals(void)
{
    struct sigaction act = {.sa_handler = note};
    sigset_t usr, none;
    sigemptyset(&none);
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    CHECK(__sigaction(SIGUSR1, &act, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &usr, NULL) == 0);
    CHECK(gsignal(SIGUSR1) == 0 && !handled);
    CHECK(__sigsuspend(&none) == -1 && errno == EINTR && handled == SIGUSR1);
    CHECK(bsd_signal(SIGUSR1, SIG_IGN) == note && ssignal(SIGUSR1, SIG_DFL) == SIG_IGN);
}

static void child_of(pid_t (*how)(void))
{
    int status;
    pid_t pid = how();
    if (pid == 0)
        _exit(5);
    CHECK(pid > 0 && __waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
}

int _IO_getc(FILE *f);
int _IO_putc(int c, FILE *f);
int _IO_fclose(FILE *f);
void _IO_flockfile(FILE *f);
void _IO_funlockfile(FILE *f);

static void streams(void)
{
    char path[] = "/tmp/second_names.XXXXXX";
    CHECK(__close(mkstemp(path)) == 0);
    int fd = __open(path, O_RDWR);
    CHECK(fd >= 0);
    FILE *f = fdopen(fd, "w+");
    _IO_flockfile(f);
    CHECK(_IO_putc('z', f) == 'z');
    _IO_funlockfile(f);
    CHECK(fflush(f) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    rewind(f);
    CHECK(_IO_getc(f) == 'z' && _IO_fclose(f) == 0);
    CHECK((fd = __open64(path, O_RDONLY)) >= 0 && __close(fd) == 0 && unlink(path) == 0);
}

static void destroyed(void *value)
{
    puts(value);
}

static void *all(void *arg)
{
    struct timespec ms = {.tv_nsec = 1000000};
    pthread_key_t key;
    CHECK(__pthread_key_create(&key, destroyed) == 0 && !pthread_setspecific(key, "key"));
    pipes();
    sockets();
    signals();
    child_of(__fork);
    child_of(_Fork);
    streams();
    CHECK(__nanosleep(&ms, NULL) == 0);
    return arg;
}

int main(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, all, NULL) == 0 && pthread_join(t, NULL) == 0);
    child_of(__libc_fork);
    puts("all reached");
    return 0;
}
