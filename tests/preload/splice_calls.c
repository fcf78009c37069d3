// methods
// Proves: splice, tee and vmsplice wait for data and for room in their thread alone; files with
// offsets; SPLICE_F_NONBLOCK and bad arguments; preadv2 and pwritev2 without an offset on pipes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

enum { BYTES = 400000 };

static int source[2], middle[2], sink[2];

static char at(size_t i)
{
    return (char)(i * 7 + i / 1000);
}

static void *writes(void *arg)
{
    static char data[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        data[i] = at(i);
    for (size_t done = 0; done < BYTES;) {
        size_t n = BYTES - done < 30000 ? BYTES - done : 30000;
        CHECK(write(source[0], data + done, n) == (ssize_t)n);
        done += n;
        usleep(300);
    }
    CHECK(close(source[0]) == 0);
    return arg;
}

// Socket to pipe, then pipe to socket: what a proxy does.
static void *moves(void *arg)
{
    int from = arg ? middle[0] : source[1], to = arg ? sink[0] : middle[1];
    ssize_t n, sum = 0;
    while ((n = splice(from, NULL, to, NULL, 65536, SPLICE_F_MOVE)) > 0)
        sum += n;
    CHECK(n == 0 && sum == BYTES && close(to) == 0);
    return NULL;
}

static void *collects(void *arg)
{
    char buf[3000];
    ssize_t n;
    size_t have = 0;
    usleep(5000);
    while ((n = read(sink[1], buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++, have++)
            CHECK(buf[i] == at(have));
    CHECK(n == 0 && have == BYTES);
    return arg;
}

static void *feeds(void *arg)
{
    usleep(3000);
    CHECK(write((int)(intptr_t)arg, "abcdef", 6) == 6);
    return NULL;
}

static void *drains(void *arg)
{
    char buf[65536];
    usleep(3000);
    CHECK(read((int)(intptr_t)arg, buf, sizeof buf) > 0);
    return NULL;
}

static void *small(void *arg)
{
    int a[2], b[2];
    char text[16], page[4096] = "page";
    struct iovec v = {text, 3}, w = {page, sizeof page};
    CHECK(pipe(a) == 0 && pipe(b) == 0);
    pthread_t t = spawn(feeds, (void *)(intptr_t)a[1]);
    CHECK(tee(a[0], b[1], 100, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN);
    CHECK(tee(a[0], b[1], 100, 0) == 6 && pthread_join(t, NULL) == 0);
    CHECK(read(b[0], text, 16) == 6 && preadv2(a[0], &v, 1, -1, 0) == 3 && !memcmp(text, "abc", 3));
    CHECK(read(a[0], text, 16) == 3 && !memcmp(text, "def", 3));
    t = spawn(feeds, (void *)(intptr_t)a[1]);
    v.iov_len = 16;
    CHECK(preadv2(a[0], &v, 1, -1, 0) == 6 && pwritev2(b[1], &v, 1, -1, 0) == 16);
    CHECK(pthread_join(t, NULL) == 0 && read(b[0], text, 16) == 16);
    while (vmsplice(b[1], &w, 1, SPLICE_F_NONBLOCK) > 0)
        ;
    CHECK(errno == EAGAIN);
    t = spawn(drains, (void *)(intptr_t)b[0]);
    CHECK(vmsplice(b[1], &w, 1, 0) == sizeof page && pthread_join(t, NULL) == 0);
    CHECK(splice(a[0], NULL, a[1], NULL, 1, 0) == -1 && errno == EINVAL);
    CHECK(splice(-1, NULL, a[1], NULL, 1, 0) == -1 && errno == EBADF);
    CHECK(splice(a[0], NULL, b[1], NULL, 0, 0) == 0);
    close(a[0]), close(a[1]), close(b[0]), close(b[1]);
    return arg;
}

static void *files(void *arg)
{
    FILE *f = tmpfile();
    int p[2];
    char text[8] = "";
    off_t from = 2, to = 10;
    CHECK(f && write(fileno(f), "0123456789", 10) == 10 && pipe(p) == 0);
    CHECK(splice(fileno(f), &from, p[1], NULL, 4, 0) == 4 && from == 6);
    CHECK(splice(p[0], NULL, fileno(f), &to, 100, 0) == 4 && to == 14);
    CHECK(pread(fileno(f), text, 7, 8) == 6 && strcmp(text, "892345") == 0);
    CHECK(fclose(f) == 0 && close(p[0]) == 0 && close(p[1]) == 0);
    return arg;
}

int main(void)
{
    pthread_t t[6];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, source) == 0 && pipe(middle) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sink) == 0);
    t[0] = spawn(collects, NULL);
    t[1] = spawn(moves, (void *)1);
    t[2] = spawn(moves, NULL);
    t[3] = spawn(writes, NULL);
    t[4] = spawn(small, NULL);
    t[5] = spawn(files, NULL);
    for (int i = 0; i < 6; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("spliced");
    return 0;
}
