// Proves: a fork made by its system call's number while threads live and wait gives a child with one thread that can
// make and wait for threads of its own.
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

static int pipes[2][2];

static void *echo(void *arg)
{
    int *p = arg;
    char c;
    while (read(p[0], &c, 1) == 1 && c != 'e')
        ;
    return arg;
}

static void *child_thread(void *arg)
{
    int p[2];
    char c;
    CHECK(pipe(p) == 0 && write(p[1], "x", 1) == 1 && read(p[0], &c, 1) == 1);
    usleep(1000);
    return arg;
}

static int child(void)
{
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        t[i] = spawn(child_thread, NULL);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    return 42;
}

static void *forks(void *arg)
{
    for (int i = 0; i < 10; i++) {
        int status;
#ifdef SYS_fork
        pid_t pid = (pid_t)(i % 2 ? syscall(SYS_fork) : syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
#else
        pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
        if (pid == 0)
            _exit(child());
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 42);
    }
    return arg;
}

int main(void)
{
    pthread_t t[2], f;
    for (int i = 0; i < 2; i++) {
        CHECK(pipe(pipes[i]) == 0);
        t[i] = spawn(echo, pipes[i]);
    }
    f = spawn(forks, NULL);
    CHECK(pthread_join(f, NULL) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(write(pipes[i][1], "e", 1) == 1 && pthread_join(t[i], NULL) == 0);
    puts("forks ok");
    return 0;
}
