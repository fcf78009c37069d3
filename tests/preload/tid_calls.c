// Proves: the id that gettid tells works in tgkill and kill, also through syscall(); tkill reaches other processes.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static atomic_int tids[4], hits, stop;
static __thread int mine;

static void handler(int sig)
{
    CHECK(sig == SIGUSR1 && mine == gettid());
    atomic_fetch_add(&hits, 1);
}

static void *body(void *arg)
{
    mine = gettid();
    CHECK(mine == syscall(SYS_gettid));
    tids[(size_t)arg] = mine;
    while (!stop)
        usleep(1000);
    return NULL;
}

/* As a debugger stops what it traces. */
static void kill_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    CHECK(child > 0 && syscall(SYS_tkill, child, SIGKILL) == 0);
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    CHECK(syscall(SYS_tkill, child, 0) == -1 && errno == ESRCH);
}

int main(void)
{
    pthread_t t[4];
    struct sigaction a = {.sa_handler = handler};
    CHECK(sigaction(SIGUSR1, &a, NULL) == 0);
    for (size_t i = 0; i < 4; i++)
        t[i] = spawn(body, (void *)i);
    for (int i = 0; i < 4; i++) {
        while (!tids[i])
            usleep(1000);
        CHECK(tgkill(getpid(), tids[i], SIGUSR1) == 0);
        while (hits < 3 * i + 1)
            usleep(1000);
        CHECK(syscall(SYS_tgkill, getpid(), tids[i], SIGUSR1) == 0);
        while (hits < 3 * i + 2)
            usleep(1000);
        CHECK(syscall(SYS_tkill, tids[i], SIGUSR1) == 0);
        while (hits < 3 * i + 3)
            usleep(1000);
        CHECK(tgkill(getpid(), tids[i], 0) == 0);
    }
    kill_child();
    mine = gettid();
    CHECK(kill(tids[3], SIGUSR1) == 0); /* as the process's id: whoever takes it */
    while (hits < 13)
        usleep(1000);
    CHECK(syscall(SYS_kill, tids[2], SIGUSR1) == 0);
    while (hits < 14)
        usleep(1000);
    stop = 1;
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    while (tgkill(getpid(), tids[0], 0) ==
           0) /* the kernel's thread outlives the join by a moment */
        usleep(1000);
    CHECK(errno == ESRCH);
    CHECK(tgkill(getpid(), getpid(), 0) == 0 && tgkill(getpid(), -1, 0) == -1 && errno == EINVAL);
    printf("ids ok %d\n", hits);
    return 0;
}
