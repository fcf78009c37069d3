// Proves: a thread that reads from its terminal while its process is in the background stops the process, or is told EIO
// where SIGTTIN is ignored or blocked, by read and by streams; once in the foreground it reads.
#define _GNU_SOURCE
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "check.h"

enum { STOPS, IGNORES, BLOCKS, KINDS };

static int slave;

static void *reads(void *arg)
{
    char b[8];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTTIN);
    if ((intptr_t)arg == BLOCKS)
        CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    ssize_t n = read(slave, b, sizeof b);
    printf("read: %zd %s\n", n, n < 0 ? strerrorname_np(errno) : "");
    FILE *f = fdopen(dup(slave), "r");
    n = fgetc(f);
    printf("fgetc: %zd %s\n", n, n < 0 ? strerrorname_np(errno) : "");
    fflush(stdout);
    return NULL;
}

static void background(intptr_t kind)
{
    CHECK(setpgid(0, 0) == 0);
    if (kind == IGNORES)
        CHECK(signal(SIGTTIN, SIG_IGN) != SIG_ERR);
    CHECK(pthread_join(spawn(reads, (void *)kind), NULL) == 0);
    exit(5);
}

static void tell(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    if (WIFSTOPPED(status))
        printf("stopped: %d\n", WSTOPSIG(status));
    else
        printf("ended: %#x\n", (unsigned)status);
    fflush(stdout);
}

/* With a session and a terminal of its own. */
static void shell(intptr_t kind)
{
    int master;
    CHECK(setsid() > 0 && openpty(&master, &slave, NULL, NULL, NULL) == 0);
    CHECK(ioctl(slave, TIOCSCTTY, 0) == 0);
    pid_t child = fork();
    if (child == 0)
        background(kind);
    tell(child);
    if (kind == STOPS) {
        CHECK(tcsetpgrp(slave, child) == 0 && write(master, "a\nb\n", 4) == 4);
        CHECK(kill(child, SIGCONT) == 0);
        tell(child);
    }
    _exit(0);
}

int main(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        printf("-- %d\n", kind);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            shell(kind);
        tell(child);
    }
    return 0;
}
