// Proves: daemon() and forkpty() called while threads live leave one thread in the child, with its session, streams
// and terminal as natively.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

static void *sleeper(void *arg)
{
    sleep(1000);
    return arg;
}

static void try_daemon(void)
{
    int p[2], status;
    char said[64] = "";
    CHECK(pipe(p) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, sleeper, NULL) == 0);
        if (daemon(0, 0) != 0)
            _exit(9);
        char cwd[16] = "";
        int n = snprintf(said, sizeof said, "leader %d cwd %s tty %d", getsid(0) == getpid(),
                         getcwd(cwd, sizeof cwd), isatty(0));
        _exit(write(p[1], said, (size_t)n) == n ? 0 : 1);
    }
    close(p[1]);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(read(p[0], said, sizeof said - 1) > 0);
    printf("%s\n", said);
}

static void *try_pty(void *arg)
{
    int master, status;
    char c, line[64] = "";
    size_t n = 0;
    pid_t pid = forkpty(&master, NULL, NULL, NULL);
    CHECK(pid >= 0);
    if (pid == 0) {
        dprintf(1, "tty %d\n", isatty(0) && isatty(1));
        _exit(7);
    }
    while (n < sizeof line - 1 && read(master, &c, 1) == 1 && c != '\r')
        line[n++] = c;
    CHECK(tcdrain(master) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    printf("pty says %s\n", line);
    close(master);
    return arg;
}

int main(void)
{
    pthread_t t;
    try_daemon();
    fflush(stdout);
    CHECK(pthread_create(&t, NULL, try_pty, NULL) == 0 && pthread_join(t, NULL) == 0);
    return 0;
}
