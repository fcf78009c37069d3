// Proves: every way to wait for a child lets the other threads run and tells what it tells natively.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
static volatile int ticks;

static void *tick(void *stop)
{
    while (!*(volatile int *)stop) {
        ticks++;
        usleep(1000);
    }
    return NULL;
}

static pid_t child(int code)
{
    pid_t pid = fork();
    if (pid == 0) {
        usleep(30000);
        _exit(code);
    }
    CHECK(pid > 0);
    return pid;
}

static void *all(void *arg)
{
    int status, stop = 0;
    struct rusage usage;
    siginfo_t info;
    pthread_t ticker;
    CHECK(pthread_create(&ticker, NULL, tick, &stop) == 0);
    pid_t pid = child(1);
    CHECK(wait3(&status, 0, &usage) == pid && WEXITSTATUS(status) == 1 && ticks > 3);
    pid = child(2);
    CHECK(wait4(pid, &status, 0, &usage) == pid && WEXITSTATUS(status) == 2 && ticks > 6);
    pid = child(3);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0 && info.si_status == 3);
    CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_pid == pid && ticks > 9);
    CHECK(wait4(-1, &status, WNOHANG, NULL) == -1 && errno == ECHILD);
    stop = 1;
    CHECK(pthread_join(ticker, NULL) == 0);
    return arg;
}

int main(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, all, NULL) == 0 && pthread_join(t, NULL) == 0);
    puts("waited");
    return 0;
}
