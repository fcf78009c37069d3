// methods
// Proves: eight threads in accept on one listener serve 1,000 connections; none is lost and the
// pool survives idle phases.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { POOL = 8, CLIENTS = 50, EACH = 20 };

static struct sockaddr_in at = {.sin_family = AF_INET};
static int listener;
static atomic_int served;

static void *worker(void *arg)
{
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        char b[16];
        int fd = accept(listener, (void *)&from, &size);
        if (fd < 0)
            return arg; // the listener was shut down
        CHECK(size == sizeof from && from.sin_family == AF_INET);
        CHECK(recv(fd, b, sizeof b, MSG_WAITALL) == sizeof b);
        CHECK(send(fd, b, sizeof b, 0) == sizeof b);
        CHECK(close(fd) == 0);
        atomic_fetch_add(&served, 1);
    }
}

static void *client(void *arg)
{
    for (int i = 0; i < EACH; i++) {
        char out[16] = "", in[16] = "";
        snprintf(out, sizeof out, "%d/%d", (int)(intptr_t)arg, i);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(connect(fd, (void *)&at, sizeof at) == 0);
        CHECK(send(fd, out, sizeof out, 0) == sizeof out);
        CHECK(recv(fd, in, sizeof in, MSG_WAITALL) == sizeof in && memcmp(in, out, sizeof in) == 0);
        CHECK(recv(fd, in, 1, 0) == 0);
        CHECK(close(fd) == 0);
        if (i % 7 == 0)
            usleep(3000);
    }
    return NULL;
}

int main(void)
{
    pthread_t pool[POOL], t[CLIENTS];
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK((listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0 &&
          bind(listener, (void *)&at, sizeof at) == 0);
    CHECK(listen(listener, 128) == 0 && getsockname(listener, (void *)&at, &size) == 0);
    for (int i = 0; i < POOL; i++)
        pool[i] = spawn(worker, NULL);
    for (int i = 0; i < CLIENTS; i++)
        t[i] = spawn(client, (void *)(intptr_t)i);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    usleep(10000);
    CHECK(shutdown(listener, SHUT_RDWR) == 0);
    for (int i = 0; i < POOL; i++)
        CHECK(pthread_join(pool[i], NULL) == 0);
    printf("served %d\n", served);
    return 0;
}
