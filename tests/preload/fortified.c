// flags: -U_FORTIFY_SOURCE -O2 -fno-inline -D_FORTIFY_SOURCE=2
// Proves: calls that the compiler has turned into their checked twins (_FORTIFY_SOURCE) are green too.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
static int sp[2];
static volatile size_t room = 8; // not known to the compiler
static struct {
    char buf[16];
} in;

static void *answer(void *arg)
{
    char buf[16];
    struct pollfd fds[2] = {{.fd = sp[1], .events = POLLIN}, {.fd = -1}};
    for (int i = 0; i < 3; i++) {
        CHECK((i % 2 ? poll(fds, room / 4, 5000) : ppoll(fds, room / 4, NULL, NULL)) == 1);
        CHECK(read(sp[1], buf, room) == 4);
        CHECK(dprintf(sp[1], "%s%d", "re:", i) == 4);
    }
    CHECK(write(sp[1], "ab\ncd\nefgh", 10) == 10 && shutdown(sp[1], SHUT_WR) == 0);
    return arg;
}

static void calls(void)
{
    for (int i = 0; i < 3; i++) {
        CHECK(send(sp[0], "ping", 4, 0) == 4);
        long r = i == 0   ? recv(sp[0], in.buf, room / 2, 0)
                 : i == 1 ? recvfrom(sp[0], in.buf, room / 2, 0, NULL, NULL)
                          : read(sp[0], in.buf, room / 2);
        CHECK(r == 4 && memcmp(in.buf, "re:", 3) == 0 && in.buf[3] == '0' + i);
    }
}

static void streams(void)
{
    FILE *f = fdopen(sp[0], "r+");
    CHECK(fgets(in.buf, (int)room, f) && strcmp(in.buf, "ab\n") == 0);
    CHECK(fgets_unlocked(in.buf, (int)room, f) && strcmp(in.buf, "cd\n") == 0);
    CHECK(fread(in.buf, 1, room / 4, f) == 2 && memcmp(in.buf, "ef", 2) == 0);
    CHECK(fread_unlocked(in.buf, 1, room, f) == 2 && memcmp(in.buf, "gh", 2) == 0);
    CHECK(feof(f) && fclose(f) == 0);
}

static void say(FILE *f, int fd, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (fd >= 0)
        vdprintf(fd, format, ap);
    else if (f)
        vfprintf(f, format, ap);
    else
        vprintf(format, ap);
    va_end(ap);
    fflush(stdout);
}

static void jump(void)
{
    static jmp_buf env;
    static volatile int jumps;
    if (setjmp(env) < 3)
        longjmp(env, ++jumps);
    printf("%d jumps\n", jumps);
}

static void *all(void *arg)
{
    int flags = (int)(room / 100);
    calls();
    streams();
    say(NULL, 1, "to %s\n", "descriptor");
    say(stdout, -1, "to %s\n", "stream");
    say(NULL, -1, "to %s\n", "stdout");
    jump();
    for (int i = 0; i < 4; i++) {
        int fd = i == 0   ? open("/dev/null", flags)
                 : i == 1 ? open64("/dev/null", flags)
                 : i == 2 ? openat(AT_FDCWD, "/dev/null", flags)
                          : openat64(AT_FDCWD, "/dev/null", flags);
        CHECK(fd >= 0 && close(fd) == 0);
    }
    return arg;
}

int main(void)
{
    pthread_t t[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
    CHECK(pthread_create(&t[0], NULL, all, NULL) == 0);
    CHECK(pthread_create(&t[1], NULL, answer, NULL) == 0);
    CHECK(pthread_join(t[0], NULL) == 0 && pthread_join(t[1], NULL) == 0);
    return 0;
}
