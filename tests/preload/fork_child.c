// methods
// Proves: the child of a threaded process has one thread, keeps its __thread values and stdio,
// runs atfork handlers in order, and can create threads, sleep and use sockets of its own.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static __thread int mine = 1;
static int parked[2];

static int order[2];

static void before(void)
{
    printf("prepare\n");
}

static void in_parent(void)
{
    printf("parent\n");
    CHECK(write(order[1], "!", 1) == 1);
}

static void in_child(void)
{
    char c;
    CHECK(read(order[0], &c, 1) == 1); // after the parent, for the sake of a fixed output
    printf("child\n");
}

static void *park(void *arg)
{
    char c;
    (void)!read(parked[0], &c, 1);
    return arg;
}

static void *echo(void *arg)
{
    char b[16];
    ssize_t n = recv((int)(intptr_t)arg, b, sizeof b, 0);
    CHECK(n > 0 && send((int)(intptr_t)arg, b, (size_t)n, 0) == n);
    return NULL;
}

static void live_on(void)
{
    pthread_t t[20];
    int s[2];
    char b[16];
    for (int i = 0; i < 20; i++) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
        CHECK(pthread_create(&t[i], NULL, echo, (void *)(intptr_t)s[1]) == 0);
        CHECK(write(s[0], "hi", 2) == 2 && read(s[0], b, sizeof b) == 2);
        CHECK(close(s[0]) == 0);
    }
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    usleep(1000);
}

static void *forker(void *arg)
{
    int status;
    mine = 42;
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(mine == 42);
        live_on();
        printf("child had its own threads\n");
        exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3);
    CHECK(mine == 42);
    return arg;
}

int main(void)
{
    pthread_t p[10], t;
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK(pipe(parked) == 0 && pipe(order) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_create(&p[i], NULL, park, NULL) == 0);
    usleep(10000);
    forker(NULL); // from main
    CHECK(pthread_create(&t, NULL, forker, NULL) == 0 && pthread_join(t, NULL) == 0);
    CHECK(pthread_atfork(before, in_parent, in_child) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        fflush(stdout);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(write(parked[1], "0123456789", 10) == 10);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(p[i], NULL) == 0);
    live_on();
    puts("parent goes on");
    return 0;
}
