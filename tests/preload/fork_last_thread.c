// Proves: in a child forked by a thread that thread is the only one: the process ends with 0 when it
// returns, calls pthread_exit or is cancelled, after its key destructors, also with new threads.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static pthread_key_t key;

static void destroyed(void *value)
{
    printf("destroyed in the %s\n", (char *)value);
}

static void *late(void *arg)
{
    usleep(20000);
    puts("a thread of the child ends");
    return arg;
}

static void *in_child(int how)
{
    pthread_t t;
    CHECK(pthread_setspecific(key, "child") == 0);
    CHECK(pthread_kill(pthread_self(), 0) == 0);
    if (how >= 3)
        CHECK(pthread_create(&t, NULL, late, NULL) == 0);
    if (how % 3 == 1)
        pthread_exit(NULL);
    if (how % 3 == 2) {
        pthread_cancel(pthread_self());
        pthread_testcancel();
    }
    return NULL;
}

static void *body(void *arg)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        return in_child((int)(intptr_t)arg);
    CHECK(waitpid(pid, &status, 0) == pid);
    printf("%d: status %d\n", (int)(intptr_t)arg, status);
    fflush(stdout);
    return NULL;
}

int main(void)
{
    pthread_t t;
    CHECK(pthread_key_create(&key, destroyed) == 0);
    for (intptr_t how = 0; how < 6; how++) {
        CHECK(pthread_create(&t, NULL, body, (void *)how) == 0 && pthread_join(t, NULL) == 0);
    }
    return 0;
}
