// Proves: file and epoll calls with rarer names do in a thread what they do natively.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"
static char path[] = "/tmp/file_calls.XXXXXX";

static void files(void)
{
    char buf[8] = "";
    struct iovec out = {"abcdef", 6}, in = {buf, 4};
    int to[2], fd = open64(path, O_RDWR);
    CHECK(fd >= 0 && pwritev64v2(fd, &out, 1, 2, 0) == 6);
    CHECK(preadv64v2(fd, &in, 1, 4, 0) == 4 && memcmp(buf, "cdef", 4) == 0);
    CHECK(sync_file_range(fd, 0, 8, SYNC_FILE_RANGE_WRITE) == 0 && syncfs(fd) == 0);
    off64_t offset = 3;
    CHECK(pipe(to) == 0 && sendfile64(to[1], fd, &offset, 4) == 4 && offset == 7);
    CHECK(read(to[0], buf, 8) == 4 && memcmp(buf, "bcde", 4) == 0);
    CHECK(close(fd) == 0 && unlink(path) == 0);
    CHECK((fd = openat(AT_FDCWD, "/dev/null", O_RDONLY)) >= 0 && close(fd) == 0);
    fd = openat64(AT_FDCWD, path, O_RDONLY);
    CHECK(fd == -1 && errno == ENOENT);
}

static void *kick(void *fd)
{
    usleep(10000);
    CHECK(write(*(int *)fd, "x", 1) == 1);
    return NULL;
}

static void epolls(void)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = 7}, got;
    struct timespec ms = {.tv_nsec = 1000000};
    int p[2], ep = epoll_create1(0);
    sigset_t none;
    pthread_t t;
    char c;
    sigemptyset(&none);
    CHECK(pipe(p) == 0 && epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e) == 0);
    CHECK(epoll_pwait(ep, &got, 1, 1, &none) == 0 && epoll_pwait2(ep, &got, 1, &ms, NULL) == 0);
    CHECK(pthread_create(&t, NULL, kick, &p[1]) == 0);
    CHECK(epoll_pwait(ep, &got, 1, -1, &none) == 1 && got.data.u32 == 7);
    CHECK(pthread_join(t, NULL) == 0 && read(p[0], &c, 1) == 1);
    CHECK(pthread_create(&t, NULL, kick, &p[1]) == 0);
    CHECK(epoll_pwait2(ep, &got, 1, NULL, &none) == 1 && got.data.u32 == 7);
    CHECK(pthread_join(t, NULL) == 0);
}

static void *all(void *arg)
{
    files();
    epolls();
    return arg;
}

int main(void)
{
    pthread_t t;
    CHECK(close(mkstemp(path)) == 0);
    CHECK(pthread_create(&t, NULL, all, NULL) == 0 && pthread_join(t, NULL) == 0);
    puts("files and epoll");
    return 0;
}
