// env: EVY_PATCH=all,file
// Proves: with regular files offloaded reads and writes at the position and at offsets, short and long, in pieces,
// empty, past the end and refused answer as natively, from many threads at once.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "check.h"

ssize_t checked_pread(int fd, void *buf, size_t n, off_t offset,
                      size_t room) __asm__("__pread_chk");
ssize_t checked_pread64(int fd, void *buf, size_t n, off_t offset,
                        size_t room) __asm__("__pread64_chk");
ssize_t second_pread(int fd, void *buf, size_t n, off_t offset) __asm__("__pread64");
ssize_t second_pwrite(int fd, const void *buf, size_t n, off_t offset) __asm__("__pwrite64");

enum { THREADS = 12, BLOCK = 10000, BLOCKS = 30 };

static int file;

static void *writes(void *arg)
{
    long me = (long)arg;
    char block[BLOCK], back[BLOCK];
    memset(block, (int)('a' + me), BLOCK);
    for (long i = 0; i < BLOCKS; i++) {
        off_t at = (i * THREADS + me) * BLOCK;
        struct iovec iov[2] = {{block, 1}, {block + 1, BLOCK - 1}},
                     in[2] = {{back, 5}, {back + 5, BLOCK - 5}};
        CHECK(i % 2 ? pwrite(file, block, BLOCK, at) == BLOCK : pwritev(file, iov, 2, at) == BLOCK);
        CHECK(i % 3 ? pread(file, back, BLOCK, at) == BLOCK : preadv(file, in, 2, at) == BLOCK);
        CHECK(memcmp(block, back, BLOCK) == 0);
    }
    return NULL;
}

static void positions(void)
{
    char b[64];
    struct iovec many[40], three[3] = {{b, 2}, {b + 2, 0}, {b + 2, 3}};
    int f = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    CHECK(f >= 0 && write(f, "0123456789", 10) == 10 && lseek(f, 2, SEEK_SET) == 2);
    CHECK(read(f, b, 3) == 3 && memcmp(b, "234", 3) == 0 && readv(f, three, 3) == 5 && b[4] == '9');
    CHECK(read(f, b, 5) == 0 && pread(f, b, 20, 4) == 6 && pread(f, b, 20, 10) == 0 &&
          lseek(f, 0, SEEK_CUR) == 10);
    CHECK(writev(f, three, 3) == 5 && lseek(f, 0, SEEK_CUR) == 15 && pwrite(f, "x", 1, 0) == 1);
    for (int i = 0; i < 40; i++)
        many[i] = (struct iovec){b + i, 1};
    CHECK(preadv(f, many, 40, 0) == 15 && b[0] == 'x' && pwritev(f, many, 15, 100) == 15);
    CHECK(preadv2(f, many, 40, 0, 0) == 40 && lseek(f, 0, SEEK_END) == 115);
    CHECK(checked_pread(f, b, 4, 0, sizeof b) == 4 && checked_pread64(f, b, 4, 0, sizeof b) == 4);
    CHECK(pread64(f, b, 4, 0) == 4 && pwrite64(f, b, 4, 0) == 4);
    CHECK(preadv64(f, three, 3, 0) == 5 && pwritev64(f, three, 3, 0) == 5);
    CHECK(second_pread(f, b, 4, 0) == 4 && second_pwrite(f, b, 4, 0) == 4);
    CHECK(read(f, b, 0) == 0 && write(f, b, 0) == 0 && pread(f, b, 0, 0) == 0 &&
          readv(f, many, 0) == 0);
    CHECK(pread(f, b, 1, -1) == -1 && errno == EINVAL && pwrite(f, b, 1, -1) == -1 &&
          errno == EINVAL);
    CHECK(preadv(f, many, 1, -1) == -1 && errno == EINVAL && pwritev(f, many, 1, -5) == -1 &&
          errno == EINVAL);
    CHECK(pread(-1, b, 1, 0) == -1 && errno == EBADF && close(f) == 0);
    f = open("/proc/self/exe", O_RDONLY);
    CHECK(write(f, b, 1) == -1 && errno == EBADF && pwrite(f, b, 1, 0) == -1 && errno == EBADF &&
          close(f) == 0);
    int p[2];
    CHECK(pipe(p) == 0 && pread(p[0], b, 1, 0) == -1 && errno == ESPIPE &&
          pwrite(p[1], b, 1, 0) == -1 && errno == ESPIPE);
    f = open("/tmp", O_RDONLY | O_DIRECTORY);
    CHECK(read(f, b, 1) == -1 && errno == EISDIR && close(f) == 0);
}

static void *both(void *arg)
{
    positions();
    return arg;
}

int main(void)
{
    pthread_t t[THREADS];
    file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    CHECK(file >= 0);
    for (long i = 0; i < THREADS; i++)
        t[i] = spawn(writes, (void *)i);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("%ld bytes\n", (long)lseek(file, 0, SEEK_END));
    CHECK(pthread_join(spawn(both, NULL), NULL) == 0);
    puts("files ok");
    return 0;
}
