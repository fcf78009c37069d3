// Proves: writing to a closed peer gives EPIPE with SIGPIPE ignored or MSG_NOSIGNAL, and delivers
// SIGPIPE to the writing thread's handler otherwise, for sockets and pipes, blocked writers
// included.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static atomic_int caught;

static void handler(int sig)
{
    CHECK(sig == SIGPIPE);
    atomic_fetch_add(&caught, 1);
}

static void *writer(void *arg)
{
    char b[65536] = {0};
    ssize_t n;
    while ((n = write((int)(intptr_t)arg, b, sizeof b)) > 0)
        ;
    CHECK(n == -1 && errno == EPIPE);
    return NULL;
}

static void round_of(int expect)
{
    int s[2], p[2];
    pthread_t t[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(p) == 0);
    t[0] = spawn(writer, (void *)(intptr_t)s[0]);
    t[1] = spawn(writer, (void *)(intptr_t)p[1]);
    usleep(10000); // both are blocked now
    CHECK(close(s[1]) == 0 && close(p[0]) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(send(s[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
    CHECK(caught == expect);
    CHECK(write(p[1], "x", 1) == -1 && errno == EPIPE);
    close(s[0]), close(p[1]);
}

int main(void)
{
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    round_of(0);
    struct sigaction a = {.sa_handler = handler};
    CHECK(sigaction(SIGPIPE, &a, NULL) == 0);
    round_of(2);
    printf("caught %d\n", caught);
    return 0;
}
