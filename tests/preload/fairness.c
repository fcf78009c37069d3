// only-preload
// Proves: threads that always find their descriptor ready, and pairs that feed each other, let the others of their hub
// run: a sleeper beside them wakes within some milliseconds nearly every time.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "check.h"

static atomic_int stop;

static void *reads_zeroes(void *arg)
{
    char b[512];
    int fd = open("/dev/zero", O_RDONLY);
    while (!stop)
        CHECK(read(fd, b, sizeof b) == sizeof b);
    close(fd);
    return arg;
}

static void *fills_itself(void *arg)
{
    uint64_t n = 1;
    int fd = eventfd(0, 0);
    while (!stop)
        CHECK(write(fd, &n, 8) == 8 && read(fd, &n, 8) == 8);
    close(fd);
    return arg;
}

static void *produces(void *arg)
{
    char b[100] = "";
    while (!stop)
        CHECK(send(*(int *)arg, b, sizeof b, 0) == sizeof b);
    CHECK(shutdown(*(int *)arg, SHUT_WR) == 0);
    return NULL;
}

static void *consumes(void *arg)
{
    char b[100];
    while (recv(*(int *)arg, b, sizeof b, 0) > 0)
        ;
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : 1;
}

static void *sleeps(void *arg)
{
    static double late[200];
    for (int i = 0; i < 200; i++) {
        double start = now();
        usleep(1000);
        late[i] = now() - start - 0.001;
    }
    qsort(late, 200, sizeof *late, by_value);
    if (late[100] > 0.005 || late[180] > 0.020) // of 200
        printf("late by %.1f ms at the median, %.1f at nine of ten\n", late[100] * 1e3,
               late[180] * 1e3);
    return arg;
}

static void beside(const char *what, void *(*first)(void *), void *(*second)(void *))
{
    int s[2];
    stop = 0;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    pthread_t a = spawn(first, &s[0]), b = spawn(second, &s[1]), c = spawn(sleeps, NULL);
    CHECK(pthread_join(c, NULL) == 0);
    stop = 1;
    CHECK(pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0 && close(s[0]) == 0 &&
          close(s[1]) == 0);
    printf("%s\n", what);
}

int main(void)
{
    beside("always ready", reads_zeroes, fills_itself);
    beside("a pair", produces, consumes);
    return 0;
}
