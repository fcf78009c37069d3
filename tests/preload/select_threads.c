// methods
// Proves: select and pselect on threads: sets are rewritten, Linux's remaining time is written
// back, pselect leaves its own, bad descriptors give EBADF, a pure sleep works.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void *writer(void *arg)
{
    usleep(30000);
    CHECK(write((int)(intptr_t)arg, "w", 1) == 1);
    return NULL;
}

static void *body(void *arg)
{
    int a[2], b[2];
    fd_set r, w;
    struct timeval t = {10, 0};
    char c;
    CHECK(pipe(a) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, b) == 0);
    int top = (a[0] > b[0] ? a[0] : b[0]) + 1;
    pthread_t other = spawn(writer, (void *)(intptr_t)b[1]);
    FD_ZERO(&r);
    FD_SET(a[0], &r);
    FD_SET(b[0], &r);
    CHECK(select(top, &r, NULL, NULL, &t) == 1);
    CHECK(!FD_ISSET(a[0], &r) && FD_ISSET(b[0], &r));
    CHECK(t.tv_sec >= 5 && (t.tv_sec < 9 || t.tv_usec <= 975000)); // what is left of 10 s
    CHECK(read(b[0], &c, 1) == 1 && pthread_join(other, NULL) == 0);

    double start = now();
    t = (struct timeval){0, 50000};
    FD_ZERO(&r);
    FD_SET(a[0], &r);
    CHECK(select(top, &r, NULL, NULL, &t) == 0 && !FD_ISSET(a[0], &r));
    CHECK(t.tv_sec == 0 && t.tv_usec == 0 && now() - start >= 0.049 && now() - start < 2);
    struct timespec n = {0, 50000000};
    start = now();
    CHECK(pselect(0, NULL, NULL, NULL, &n, NULL) == 0 && n.tv_nsec == 50000000 &&
          now() - start >= 0.049);
    t = (struct timeval){0, 20000};
    CHECK(select(0, NULL, NULL, NULL, &t) == 0);
    FD_ZERO(&w);
    FD_SET(b[0], &w);
    FD_SET(a[0], &r);
    CHECK(select(top, &r, &w, NULL, NULL) == 1 && FD_ISSET(b[0], &w) && !FD_ISSET(a[0], &r));
    CHECK(select(-1, NULL, NULL, NULL, &t) == -1 && errno == EINVAL);
    close(a[0]), close(a[1]), close(b[0]), close(b[1]);
    return arg;
}

int main(void)
{
    pthread_t t[20];
    body(NULL);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(body, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    fd_set closed;
    FD_ZERO(&closed);
    FD_SET(20, &closed); // inside the table the process has grown, but not open
    CHECK(select(21, &closed, NULL, NULL, NULL) == -1 && errno == EBADF);
    puts("select ok");
    return 0;
}
