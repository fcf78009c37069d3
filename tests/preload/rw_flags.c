// Proves: preadv2 and pwritev2 with offsets and flags, sendfile with and without offsets, splices of files, and lists of
// many pieces give on pipes, sockets and files what they give natively, waiting where that waits.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "check.h"

#define SHOW(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long r_ = (call);                                                                          \
        printf("%s = %ld %s\n", #call, r_, r_ < 0 ? strerrorname_np(errno) : "");                  \
    } while (0)

static int p[2], s[2], file;
static char b[64];
static struct iovec one = {b, 8};

static void *late(void *arg)
{
    usleep(5000);
    CHECK(write(*(int *)arg, "12345678", 8) == 8);
    return NULL;
}

static void flags(void)
{
    SHOW(preadv2(p[0], &one, 1, -1, RWF_NOWAIT));
    SHOW(preadv2(s[0], &one, 1, -1, RWF_NOWAIT));
    pthread_t t = spawn(late, &p[1]);
    SHOW(preadv2(p[0], &one, 1, -1, 0));
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(late, &s[1]);
    SHOW(preadv2(s[0], &one, 1, -1, 0));
    CHECK(pthread_join(t, NULL) == 0);
    SHOW(preadv2(p[0], &one, 1, 0, 0));
    SHOW(pwritev2(p[1], &one, 1, 5, 0));
    SHOW(preadv2(p[0], &one, 1, -2, 0));
    SHOW(pwritev2(p[1], &one, 1, -1, 0));
    SHOW(preadv2(p[0], &one, 1, -1, RWF_NOWAIT));
    SHOW(pwritev2(s[1], &one, 1, -1, RWF_NOWAIT));
    SHOW(preadv2(s[0], &one, 1, -1, RWF_NOWAIT));
    SHOW(preadv2(file, &one, 1, 0, RWF_NOWAIT) >= 0);
    SHOW(preadv2(file, &one, 1, -1, 0));
    SHOW(preadv2(file, &one, 1, 2, 0));
    SHOW(preadv2(file, &one, 1, 0, 0x40000000));
    SHOW(pwritev2(file, &one, 1, 0, RWF_APPEND));
    SHOW(lseek(file, 0, SEEK_END));
}

static void sends(void)
{
    off_t at = 3, none = 1000, bad = -1;
    SHOW(sendfile(s[0], file, &at, 4));
    SHOW(at);
    SHOW(lseek(file, 1, SEEK_SET));
    SHOW(sendfile(s[0], file, NULL, 2));
    SHOW(lseek(file, 0, SEEK_CUR));
    SHOW(sendfile(s[0], file, &none, 2));
    SHOW(sendfile(s[0], file, &bad, 2));
    SHOW(sendfile(s[0], file, NULL, 0));
    SHOW(sendfile(s[0], p[0], NULL, 2));
    SHOW(sendfile(s[0], s[1], NULL, 2));
    SHOW(sendfile(file, file, NULL, 2));
    SHOW(sendfile(-1, file, NULL, 2));
    SHOW(recv(s[1], b, sizeof b, 0));
    loff_t from = 2;
    SHOW(splice(file, &from, p[1], NULL, 5, 0));
    SHOW(from);
    SHOW(splice(p[0], NULL, s[0], NULL, 5, 0));
    SHOW(splice(p[0], NULL, s[0], NULL, 5, SPLICE_F_NONBLOCK));
    SHOW(splice(s[0], NULL, s[1], NULL, 5, 0));
    SHOW(splice(p[0], &from, s[0], NULL, 5, 0));
    SHOW(tee(p[0], p[0], 5, 0));
    SHOW(tee(s[0], p[1], 5, 0));
    SHOW(recv(s[1], b, sizeof b, 0));
}

static void lists(void)
{
    static char bytes[IOV_MAX], back[IOV_MAX];
    static struct iovec many[IOV_MAX + 1], in[IOV_MAX];
    for (int i = 0; i < IOV_MAX; i++) {
        bytes[i] = (char)i;
        many[i] = (struct iovec){bytes + i, 1};
        in[i] = (struct iovec){back + i, 1};
    }
    SHOW(writev(p[1], many, IOV_MAX));
    SHOW(readv(p[0], in, IOV_MAX));
    CHECK(memcmp(bytes, back, IOV_MAX) == 0);
    SHOW(writev(s[0], many, IOV_MAX));
    SHOW(readv(s[1], in, IOV_MAX));
    SHOW(writev(p[1], many, IOV_MAX + 1));
    SHOW(writev(s[1], many, IOV_MAX + 1));
    int packets[2];
    CHECK(pipe2(packets, O_DIRECT) == 0);
    SHOW(writev(packets[1], many, 40)); // is one packet
    SHOW(read(packets[0], back, sizeof back));
    close(packets[0]), close(packets[1]);
    many[0].iov_len = SSIZE_MAX;
    many[1].iov_len = SSIZE_MAX;
    SHOW(writev(p[1], many, 2));
    SHOW(writev(s[1], many, 2));
}

static void *all(void *arg)
{
    CHECK(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    CHECK((file = open("/tmp", O_TMPFILE | O_RDWR, 0600)) >= 0 &&
          write(file, "0123456789", 10) == 10 && lseek(file, 0, SEEK_SET) == 0);
    flags();
    sends();
    lists();
    return arg;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK(pthread_join(spawn(all, NULL), NULL) == 0);
    return 0;
}
