// Proves: sendfile from a file to a slow socket blocks and delivers all bytes, advancing the
// offset; splice through a pipe too.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { SIZE = 4 << 20 };

static void *drain(void *arg)
{
    int fd = (int)(intptr_t)arg;
    uint64_t sum = 0;
    size_t have = 0;
    unsigned char b[30000];
    while (have < SIZE) {
        ssize_t n = recv(fd, b, sizeof b, 0);
        CHECK(n > 0);
        for (ssize_t i = 0; i < n; i++)
            sum += b[i] * (uint64_t)(have + (size_t)i + 1);
        have += (size_t)n;
        usleep(20);
    }
    return (void *)(uintptr_t)sum;
}

int main(void)
{
    char name[] = "/tmp/evy-sendfile-XXXXXX", b[4096];
    int file = mkstemp(name), p[2], s[2];
    void *sum, *again;
    pthread_t t;
    CHECK(file >= 0 && unlink(name) == 0);
    for (int i = 0; i < SIZE / 4096; i++) {
        for (int k = 0; k < 4096; k++)
            b[k] = (char)(i * 3 + k * 7);
        CHECK(write(file, b, sizeof b) == sizeof b);
    }
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    CHECK(pthread_create(&t, NULL, drain, (void *)(intptr_t)s[1]) == 0);
    off_t offset = 0;
    while (offset < SIZE) {
        off_t before = offset;
        ssize_t n = sendfile(s[0], file, &offset, (size_t)(SIZE - offset));
        CHECK(n > 0 && offset == before + n);
    }
    CHECK(pthread_join(t, &sum) == 0);
    CHECK(lseek(file, 0, SEEK_CUR) == SIZE); // a given offset leaves the file position alone

    CHECK(pipe(p) == 0);
    CHECK(pthread_create(&t, NULL, drain, (void *)(intptr_t)s[1]) == 0);
    loff_t from = 0;
    while (from < SIZE) {
        ssize_t n = splice(file, &from, p[1], NULL, 65536, 0);
        CHECK(n > 0);
        while (n > 0) {
            ssize_t k = splice(p[0], NULL, s[0], NULL, (size_t)n, 0);
            CHECK(k > 0);
            n -= k;
        }
    }
    CHECK(pthread_join(t, &again) == 0 && again == sum);
    printf("sum %lu\n", (unsigned long)(uintptr_t)sum);
    return 0;
}
