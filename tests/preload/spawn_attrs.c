// Proves: posix_spawn from a thread does its attributes and file actions in the child as natively: process group,
// signal mask and defaults, flags of descriptors, opens, duplicates, closes, and errors of what cannot be done.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;
static char *self;

// What the child finds: group, masks, descriptors.
static int child(void)
{
    sigset_t mask;
    struct sigaction usr1, usr2;
    char text[8] = "";
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigaction(SIGUSR1, NULL, &usr1);
    sigaction(SIGUSR2, NULL, &usr2);
    printf("leader %d\n", getpgrp() == getpid());
    printf("blocked term %d usr1 %d\n", sigismember(&mask, SIGTERM), sigismember(&mask, SIGUSR1));
    printf("ignored usr1 %d usr2 %d\n", usr1.sa_handler == SIG_IGN, usr2.sa_handler == SIG_IGN);
    printf("null %zd\n", read(10, text, sizeof text));
    printf("socket %d nonblock %d\n", (int)recv(11, text, 3, 0), fcntl(11, F_GETFL) & O_NONBLOCK);
    int gone = fcntl(12, F_GETFL);
    printf("gone %d %d\n", gone, errno == EBADF);
    return 7;
}

static void *spawns(void *arg)
{
    int pair[2], status;
    pid_t pid;
    sigset_t mask, defaults;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t actions;
    char *argv[] = {self, "child", NULL}, *none[] = {"none", NULL};

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && send(pair[0], "abc", 3, 0) == 3);
    char c;
    CHECK(recv(pair[1], &c, 1, MSG_PEEK) == 1); // libevy has seen it
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGUSR1);
    CHECK(posix_spawnattr_init(&attr) == 0);
    CHECK(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF) == 0);
    CHECK(posix_spawnattr_setpgroup(&attr, 0) == 0 &&
          posix_spawnattr_setsigmask(&attr, &mask) == 0);
    CHECK(posix_spawnattr_setsigdefault(&attr, &defaults) == 0);
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 10, "/dev/null", O_RDONLY, 0) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, pair[1], 11) == 0);
    CHECK(posix_spawn_file_actions_addclose(&actions, 12) == 0);
    CHECK(dup2(pair[0], 12) == 12);
    fflush(stdout);
    CHECK(posix_spawn(&pid, self, &actions, &attr, argv, environ) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    CHECK(posix_spawn(&pid, "/nowhere/at/all", NULL, NULL, none, environ) == ENOENT);
    CHECK(posix_spawnp(&pid, "no-such-program", NULL, NULL, none, environ) == ENOENT);
    CHECK(posix_spawn_file_actions_addopen(&actions, 13, "/nowhere", O_RDONLY, 0) == 0);
    CHECK(posix_spawn(&pid, self, &actions, NULL, argv, environ) == ENOENT);
    return arg;
}

int main(int argc, char **argv)
{
    (void)argc;
    self = argv[0];
    if (argv[1] && strcmp(argv[1], "child") == 0)
        return child();
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    CHECK(pthread_join(spawn(spawns, NULL), NULL) == 0);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    puts("ok");
    return 0;
}
