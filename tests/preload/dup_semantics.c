// methods
// Proves: a duplicate works after its original is closed and the other way round, dup2 over a used
// number switches it to the new file, F_DUPFD and dup3 flags, blocked readers on a duplicate are
// fed through either end.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static void *reader(void *arg)
{
    char c = 0;
    CHECK(read((int)(intptr_t)arg, &c, 1) == 1);
    return (void *)(intptr_t)c;
}

static char read_on(int fd, int to)
{
    void *result;
    pthread_t t = spawn(reader, (void *)(intptr_t)fd);
    usleep(2000);
    CHECK(write(to, "q", 1) == 1);
    CHECK(pthread_join(t, &result) == 0);
    return (char)(intptr_t)result;
}

static void *body(void *arg)
{
    int s[2], u[2], d, e;
    char c;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(u) == 0);
    CHECK(read_on(s[0], s[1]) == 'q');
    CHECK((d = dup(s[0])) >= 0 && d != s[0]);
    CHECK(read_on(d, s[1]) == 'q');
    CHECK(close(s[0]) == 0);
    CHECK(read_on(d, s[1]) == 'q');
    CHECK((e = fcntl(d, F_DUPFD_CLOEXEC, 300)) >= 300 && fcntl(e, F_GETFD) == FD_CLOEXEC);
    CHECK(read_on(e, s[1]) == 'q');
    CHECK(dup2(u[0], d) == d); // d is a pipe now
    CHECK(read_on(d, u[1]) == 'q');
    CHECK(read_on(e, s[1]) == 'q'); // e is still the socket
    CHECK(dup2(e, e) == e && dup2(-1, e) == -1 && errno == EBADF);
    CHECK(dup3(e, e, 0) == -1 && errno == EINVAL);
    pthread_t t = spawn(reader, (void *)(intptr_t)d);
    usleep(2000);
    CHECK(dup3(e, d, O_APPEND) == -1 && errno == EINVAL); // and who waits there does so
    CHECK(write(u[1], "q", 1) == 1 && pthread_join(t, NULL) == 0);
    CHECK(dup3(e, d, O_CLOEXEC) == d && fcntl(d, F_GETFD) == FD_CLOEXEC);
    CHECK(read_on(d, s[1]) == 'q');
    CHECK(close(s[1]) == 0);
    CHECK(read(d, &c, 1) == 0 && read(e, &c, 1) == 0);
    CHECK(close(d) == 0 && close(e) == 0 && close(u[0]) == 0 && close(u[1]) == 0);
    CHECK(close(e) == -1 && errno == EBADF);
    return arg;
}

int main(void)
{
    pthread_t t[10];
    body(NULL);
    for (int i = 0; i < 10; i++)
        t[i] = spawn(body, NULL);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("dup ok");
    return 0;
}
