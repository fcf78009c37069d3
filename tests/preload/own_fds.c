// methods
// Proves: a program that closes all numbers at once with threads alive, puts descriptors of its own at every number,
// or asks what is at each, sees what it would see natively, and its threads go on waiting.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

static int pipe_fd[2];

static void *reader(void *arg)
{
    char c;
    CHECK(read(pipe_fd[0], &c, 1) == 1 && c == 'x');
    usleep(1000);
    return arg;
}

static void *ping(void *arg)
{
    int *fds = arg;
    for (int i = 0; i < 50; i++) {
        char c;
        CHECK(read(fds[0], &c, 1) == 1 && write(fds[3], &c, 1) == 1);
    }
    return NULL;
}

static void still_works(void)
{
    int a[2], b[2];
    CHECK(pipe(pipe_fd) == 0 && pipe(a) == 0 && pipe(b) == 0);
    int fds[4] = {a[0], a[1], b[0], b[1]};
    pthread_t t[3] = {spawn(reader, NULL), spawn(reader, NULL), spawn(ping, fds)};
    usleep(5000);
    for (int i = 0; i < 50; i++) {
        char c = (char)i, back;
        CHECK(write(fds[1], &c, 1) == 1 && read(fds[2], &back, 1) == 1 && back == c);
    }
    CHECK(write(pipe_fd[1], "xx", 2) == 2);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

static int highest(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur > 5000) {
        limit.rlim_cur = 5000;
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    }
    return (int)limit.rlim_cur;
}

static int count_open(int from, int to)
{
    int n = 0;
    for (int fd = from; fd < to; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void *idle(void *arg)
{
    char c;
    CHECK(read(*(int *)arg, &c, 1) == 1);
    return NULL;
}

int main(void)
{
    int end = highest(), keep[2], status;
    CHECK(pipe(keep) == 0 && dup2(keep[0], 3) == 3 && dup2(keep[1], 4) == 4);
    int alive = 3;
    pthread_t t = spawn(idle, &alive); // threads live from here on
    still_works();
    CHECK(close_range(5, ~0U, 0) == 0);
    printf("open after close_range: %d\n", count_open(5, end));
    still_works();
    closefrom(5);
    printf("open after closefrom: %d\n", count_open(5, end));
    still_works();
    CHECK(syscall(SYS_close_range, 5, ~0U, 0) == 0);
    printf("open after the system call: %d\n", count_open(5, end));
    still_works();
    CHECK(close_range(5, 3, 0) == -1 && errno == EINVAL);
    closefrom(5);
    for (int fd = 5; fd < end; fd++)
        CHECK(dup(fd) == -1 && errno == EBADF && dup2(fd, 5) == -1 && errno == EBADF);
    for (int fd = 5; fd < end - 20; fd++)
        CHECK(dup2(0, fd) == fd && fcntl(fd, F_GETFD) == 0);
    printf("open after dup2 everywhere: %d\n", count_open(5, end - 20) == end - 25);
    CHECK(dup2(keep[0] + 4000000, 5) == -1 && errno == EBADF && fcntl(5, F_GETFD) == 0);
    pid_t child = fork();
    if (child == 0) {
        closefrom(5);
        _exit(count_open(5, end));
    }
    CHECK(waitpid(child, &status, 0) == child);
    printf("child: %d\n", status);
    for (int fd = 5; fd < end - 20; fd++)
        CHECK(close(fd) == 0);
    still_works();
    CHECK(write(4, "x", 1) == 1 && pthread_join(t, NULL) == 0);
    return 0;
}
