// Proves: threads read terminals by lines, up to an end of file typed, by single characters, and by VMIN and VTIME; write
// to one whose output is held; and the terminal that others share never gets O_NONBLOCK.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>

#include "check.h"

static int master, slave;

struct typed {
    const char *text;
    int pause;
};

static void *types(void *arg)
{
    struct typed *t = arg;
    for (const char *c = t->text; *c; c++) {
        usleep((useconds_t)t->pause * 1000);
        CHECK(write(master, c, 1) == 1);
    }
    return NULL;
}

static void reads(const char *what, size_t n, const char *text, int pause)
{
    char b[64] = "";
    struct typed t = {text, pause};
    pthread_t typist = spawn(types, &t);
    ssize_t r = read(slave, b, n);
    for (char *c = b; *c; c++)
        if (*c == '\n')
            *c = '$';
    printf("%s: %zd \"%s\"\n", what, r, b);
    CHECK(pthread_join(typist, NULL) == 0);
}

static void mode(int canonical, int min, int time)
{
    struct termios m;
    CHECK(tcgetattr(slave, &m) == 0);
    m.c_lflag &= (tcflag_t) ~(ECHO | ICANON);
    m.c_lflag |= canonical ? ICANON : 0;
    if (!canonical) {
        m.c_cc[VMIN] = (cc_t)min;
        m.c_cc[VTIME] = (cc_t)time;
    }
    CHECK(tcsetattr(slave, TCSAFLUSH, &m) == 0);
}

static void *waits_for_line(void *arg)
{
    char b[16];
    CHECK(read(slave, b, sizeof b) == 2);
    return arg;
}

// Another process has the same open terminal.
static int flag_elsewhere(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(!!(fcntl(slave, F_GETFL) & O_NONBLOCK));
    CHECK(waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status);
}

static void *drains(void *arg)
{
    char b[512];
    long left = *(long *)arg;
    usleep(20000);
    CHECK(tcflow(slave, TCOON) == 0);
    while (left > 0) {
        ssize_t n = read(master, b, sizeof b);
        CHECK(n > 0);
        left -= n;
    }
    return NULL;
}

static void *all(void *arg)
{
    static char big[20000];
    long size = sizeof big;
    CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0);
    mode(1, 0, 0);
    reads("a line", 64, "hello\nrest", 1);
    reads("its rest", 64, "\n", 1);
    reads("the end", 64, "\004", 1);
    reads("half a line", 3, "abcdef\n", 1);
    reads("the other half", 64, "", 1);
    pthread_t t = spawn(waits_for_line, NULL);
    usleep(5000);
    printf("non-blocking elsewhere: %d\n", flag_elsewhere());
    CHECK(write(master, "x\n", 2) == 2 && pthread_join(t, NULL) == 0);
    mode(0, 1, 0);
    reads("a character", 64, "q", 5);
    mode(0, 3, 0);
    reads("three", 64, "abc", 5);
    reads("one of three asked", 1, "a", 5);
    mode(0, 0, 5);
    reads("none in time", 64, "", 0);
    reads("one in time", 64, "z", 5);
    mode(0, 0, 0);
    reads("what there is", 64, "", 0);
    mode(0, 5, 5);
    reads("what comes together", 64, "pq", 5);
    memset(big, 'o', sizeof big);
    mode(1, 0, 0);
    CHECK(tcflow(slave, TCOOFF) == 0);
    t = spawn(drains, &size);
    CHECK(write(slave, big, sizeof big) == size && pthread_join(t, NULL) == 0);
    CHECK(close(master) == 0);
    reads("hung up", 64, "", 0);
    return arg;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK(pthread_join(spawn(all, NULL), NULL) == 0);
    return 0;
}
