// Proves: every way to start another program works from a thread: it has the thread's signal mask,
// and the process that is replaced has no threads left.
// status: 4
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char script[] = "grep SigBlk /proc/self/status | cut -c8-; echo $1 $WHO; exit 4";
static char *argv[] = {"sh", "-c", script, "sh", "by", NULL, NULL};
static char *env[] = {"PATH=/usr/bin:/bin", "WHO=env", NULL};

static void become(int how)
{
    int fd = how == 5 || how == 6 ? open("/bin/sh", O_RDONLY) : -1;
    switch (how) {
    case 0:
        execv("/bin/sh", argv);
        break;
    case 1:
        execve("/bin/sh", argv, env);
        break;
    case 2:
        execvp("sh", argv);
        break;
    case 3:
        execvpe("sh", argv, env);
        break;
    case 4:
        execveat(AT_FDCWD, "/bin/sh", argv, env, 0);
        break;
    default:
        fexecve(fd, argv, env);
    }
    _exit(9);
}

static void reap(pid_t pid)
{
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 4);
}

static void *all(void *arg)
{
    pid_t pid;
    sigset_t usr;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR2);
    CHECK(pthread_sigmask(SIG_SETMASK, &usr, NULL) == 0);
    for (int how = 0; how < 6; how++) {
        pid = fork();
        if (pid == 0)
            become(how);
        reap(pid);
    }
    CHECK(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, env) == 0);
    reap(pid);
    CHECK(posix_spawnp(&pid, "sh", NULL, NULL, argv, env) == 0);
    reap(pid);
    CHECK(execv("/nonexistent", argv) == -1 && errno == ENOENT);
    CHECK(posix_spawn(&pid, "/nonexistent", NULL, NULL, argv, env) == ENOENT);
    return arg;
}

static void *idle(void *arg)
{
    for (;;)
        pause();
    return arg;
}

/* The last one replaces this very process, from a thread, others being alive. */
static void *replace(void *arg)
{
    all(arg);
    puts("last");
    fflush(stdout);
    execve("/bin/sh", argv, env);
    return NULL;
}

int main(void)
{
    pthread_t t;
    setenv("WHO", "self", 1);
    CHECK(pthread_create(&t, NULL, idle, NULL) == 0);
    CHECK(pthread_create(&t, NULL, replace, NULL) == 0 && pthread_join(t, NULL) == 0);
    return 1;
}
