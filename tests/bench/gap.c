/*
 * How long the other threads of a process wait while one computes for 500 ms without any call.
 *
 *   gap     prints {"gap_ms": ..., "median_us": ..., "questions": ...}
 *
 * A child process asks an echo thread over a socket, each half millisecond; the worst answer counts.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

enum { MOST = 100000 };

static double took[MOST]; /* seconds */
static int sockets[2], stop[2];

static void must(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static int longer(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(int count)
{
    must(count > 0, "no answer");
    qsort(took, (size_t)count, sizeof *took, longer);
    printf("{\"gap_ms\": %.2f, \"median_us\": %.1f, \"questions\": %d}\n", took[count - 1] * 1e3,
           took[count / 2] * 1e6, count);
    fflush(stdout);
}

static _Noreturn void asks(void)
{
    struct pollfd ended = {.fd = stop[0]};
    struct timespec pause = {0, 500000};
    int count = 0;
    char c = 'e';
    while (count < MOST && poll(&ended, 1, 0) == 0) {
        double start = now();
        must(send(sockets[1], &c, 1, 0) == 1 && recv(sockets[1], &c, 1, 0) == 1, "echo");
        took[count++] = now() - start;
        nanosleep(&pause, NULL);
    }
    report(count);
    _exit(0);
}

static void *echo(void *arg)
{
    char c;
    while (recv(sockets[0], &c, 1, 0) == 1)
        must(send(sockets[0], &c, 1, MSG_NOSIGNAL) == 1, "send");
    return arg;
}

static void *computes(void *arg)
{
    volatile uint64_t x = 1;
    for (double end = now() + 0.5; now() < end;)
        for (int i = 0; i < 100000; i++)
            x = x * 6364136223846793005u + 1;
    return arg;
}

int main(void)
{
    pthread_t server, hog;
    int status;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 && pipe(stop) == 0, "socketpair");
    pid_t client = fork();
    must(client >= 0, "fork");
    if (client == 0) {
        close(sockets[0]);
        close(stop[1]);
        asks();
    }
    close(sockets[1]);
    must(pthread_create(&server, NULL, echo, NULL) == 0, "pthread_create");
    usleep(50000);
    must(pthread_create(&hog, NULL, computes, NULL) == 0, "pthread_create");
    must(pthread_join(hog, NULL) == 0, "pthread_join");
    close(stop[1]);
    must(waitpid(client, &status, 0) == client && status == 0, "client");
    must(pthread_join(server, NULL) == 0, "pthread_join");
    return 0;
}
