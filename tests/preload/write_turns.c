// Proves: a blocking write, writev, send or sendmsg that has to wait for room several times arrives in one piece though
// other threads write to the same descriptor; who waits for its turn can be cancelled or time out, and a signal ends
// a call with what it has sent. Natively the pieces mix.
// only-preload
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "check.h"

enum { WRITERS = 8, ROUNDS = 4, RECORD = 150000 };

static int fds[2];

static ssize_t put(int kind, const char *record)
{
    struct iovec iov[2] = {{(char *)record, 1000}, {(char *)record + 1000, RECORD - 1000}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    if (kind == 0)
        return writev(fds[1], iov, 2);
    if (kind == 1)
        return send(fds[1], record, RECORD, 0);
    if (kind == 2)
        return sendmsg(fds[1], &m, 0);
    return write(fds[1], record, RECORD);
}

static void *writer(void *arg)
{
    long i = (long)arg;
    char *record = malloc(RECORD);
    memset(record, (int)('a' + i % 20), RECORD);
    for (int r = 0; r < ROUNDS; r++)
        CHECK(put(i < 20 ? (int)i % 4 : 3, record) == RECORD);
    free(record);
    return NULL;
}

static void read_records(int count)
{
    char buf[8192];
    int have = 0;
    for (long left = (long)count * RECORD; left > 0;) {
        ssize_t n = read(fds[0], buf, sizeof buf);
        CHECK(n > 0);
        static char kind;
        for (ssize_t i = 0; i < n; i++) {
            if (have == 0)
                kind = buf[i];
            CHECK(buf[i] == kind);
            have = (have + 1) % RECORD;
        }
        left -= n;
    }
}

static void contiguous(const char *what, int first)
{
    pthread_t t[WRITERS];
    for (long i = 0; i < WRITERS; i++)
        t[i] = spawn(writer, (void *)(i + first));
    read_records(WRITERS * ROUNDS);
    for (int i = 0; i < WRITERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
    printf("%s: whole\n", what);
}

static void on_signal(int sig)
{
    (void)sig;
}

static atomic_long sent;

static void *big(void *arg)
{
    char *record = calloc(1, 4 << 20);
    sent = write(fds[1], record, 4 << 20);
    free(record);
    return arg;
}

static void *small(void *arg)
{
    CHECK(write(fds[1], "x", 1) == -1);
    printf("small: %s\n", strerrorname_np(errno));
    return arg;
}

static void interrupted(int flags)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = flags};
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    pthread_t t = spawn(big, NULL);
    usleep(20000);
    CHECK(pthread_kill(t, SIGUSR1) == 0 && pthread_join(t, NULL) == 0);
    printf("a part was sent: %d\n", sent > 1000 && sent < 4 << 20);
    CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

static void waiting(void)
{
    struct timeval limit = {0, 30000};
    void *result;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    pthread_t first = spawn(big, NULL);
    usleep(20000);
    pthread_t cancelled = spawn(small, NULL);
    usleep(20000);
    CHECK(pthread_cancel(cancelled) == 0 && pthread_join(cancelled, &result) == 0);
    printf("cancelled: %d\n", result == PTHREAD_CANCELED);
    CHECK(setsockopt(fds[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    CHECK(pthread_join(spawn(small, NULL), NULL) == 0);
    CHECK(close(fds[0]) == 0 && pthread_join(first, NULL) == 0 && close(fds[1]) == 0);
    signal(SIGPIPE, SIG_IGN);
    CHECK(pipe(fds) == 0);
    first = spawn(big, NULL);
    usleep(20000);
    CHECK(pthread_cancel(first) == 0 && pthread_join(first, &result) == 0);
    printf("cancelled in its turn: %d\n", result == PTHREAD_CANCELED);
    char buf[70000];
    CHECK(read(fds[0], buf, sizeof buf) > 1000 && write(fds[1], "x", 1) == 1);
    CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    contiguous("socket", 0);
    CHECK(pipe(fds) == 0);
    contiguous("pipe", 20);
    interrupted(0);
    interrupted(SA_RESTART);
    waiting();
    return 0;
}
