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
static int gate[2];

/* The children end when this has let them, which it does while another thread waits for them. */
static void *open_gate(void *arg)
{
    for (int i = 0; i < 3; i++) {
        usleep(20000);
        CHECK(write(gate[1], "x", 1) == 1);
    }
    return arg;
}

static pid_t child(int code)
{
    char c;
    pid_t pid = fork();
    if (pid == 0)
        _exit(read(gate[0], &c, 1) == 1 ? code : 9);
    CHECK(pid > 0);
    return pid;
}

static void *all(void *arg)
{
    int status;
    struct rusage usage;
    siginfo_t info;
    pthread_t t;
    CHECK(pipe(gate) == 0 && pthread_create(&t, NULL, open_gate, NULL) == 0);
    pid_t pid = child(1);
    CHECK(wait3(&status, 0, &usage) == pid && WEXITSTATUS(status) == 1);
    pid = child(2);
    CHECK(wait4(pid, &status, 0, &usage) == pid && WEXITSTATUS(status) == 2);
    pid = child(3);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0 && info.si_status == 3);
    CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_pid == pid);
    CHECK(wait4(-1, &status, WNOHANG, NULL) == -1 && errno == ECHILD);
    CHECK(pthread_join(t, NULL) == 0);
    return arg;
}

int main(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, all, NULL) == 0 && pthread_join(t, NULL) == 0);
    puts("waited");
    return 0;
}
