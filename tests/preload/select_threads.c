// methods
// Proves: select and pselect on threads: sets are rewritten, Linux's remaining time is written
// back, pselect leaves its own, bad descriptors give EBADF, a pure sleep works; what lies behind a set
// is left alone when the number is getdtablesize(), and sets may be larger than fd_set.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

#define LARGE 3000

/* Both natively and here the descriptors lie far below. */
static void *dtablesize(void *arg)
{
    int p[2];
    struct {
        fd_set set;
        char behind[(LARGE - FD_SETSIZE) / 8];
    } *s = malloc(sizeof *s), before;
    CHECK(s && pipe(p) == 0);
    for (int i = 0; i < 2; i++) {
        struct timeval t = {i, 20000};
        memset(s, 0x5a, sizeof *s);
        FD_ZERO(&s->set);
        FD_SET(p[0], &s->set);
        before = *s;
        pthread_t other = i ? spawn(writer, (void *)(intptr_t)p[1]) : 0;
        CHECK(select(getdtablesize(), &s->set, NULL, NULL, &t) == i);
        CHECK(memcmp(s->behind, before.behind, sizeof s->behind) == 0);
        CHECK(!i || pthread_join(other, NULL) == 0);
    }
    close(p[0]), close(p[1]);
    free(s);
    return arg;
}

static void *large(void *arg)
{
    int p[2];
    unsigned long set[LARGE / 64 + 1] = {0};
    CHECK(pipe(p) == 0 && dup2(p[0], LARGE - 1) == LARGE - 1);
    for (int i = 0; i < 2; i++) {
        struct timeval t = {i, 20000};
        set[(LARGE - 1) / 64] = 1UL << (LARGE - 1) % 64;
        pthread_t other = i ? spawn(writer, (void *)(intptr_t)p[1]) : 0;
        CHECK(select(LARGE, (fd_set *)set, NULL, NULL, &t) == i && !set[0]);
        CHECK(!set[(LARGE - 1) / 64] == !i);
        CHECK(!i || pthread_join(other, NULL) == 0);
    }
    set[(LARGE - 1) / 64] = 1UL << (LARGE - 1) % 64;
    close(LARGE - 1);
    CHECK(select(LARGE, (fd_set *)set, NULL, NULL, NULL) == -1 && errno == EBADF);
    close(p[0]), close(p[1]);
    return arg;
}

int main(void)
{
    pthread_t t[20];
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= LARGE);
    limit.rlim_cur = LARGE;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    body(NULL);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(body, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    fd_set closed;
    FD_ZERO(&closed);
    FD_SET(20, &closed); // inside the table the process has grown, but not open
    CHECK(select(21, &closed, NULL, NULL, NULL) == -1 && errno == EBADF);
    CHECK(pthread_join(spawn(dtablesize, NULL), NULL) == 0);
    CHECK(pthread_join(spawn(large, NULL), NULL) == 0);
    puts("select ok");
    return 0;
}
