// Proves: a pthread_once routine may fork: it goes on in both processes, once in each; a routine that another
// thread is in when the process forks is run afresh by the child, which has not that thread.
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"

static pthread_once_t forks = PTHREAD_ONCE_INIT, waits = PTHREAD_ONCE_INIT;
static sem_t inside, go;
static pid_t child, parent;
static int forked, waited;

static void fork_inside(void)
{
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    forked++;
}

static void wait_inside(void)
{
    waited++;
    if (getpid() != parent)
        return;
    CHECK(sem_post(&inside) == 0 && sem_wait(&go) == 0);
}

static void finish(void)
{
    int status = 0;
    fflush(stdout);
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void *does_fork(void *arg)
{
    CHECK(pthread_once(&forks, fork_inside) == 0);
    CHECK(pthread_once(&forks, fork_inside) == 0);
    if (child == 0)
        printf("child: run %d times\n", forked);
    finish();
    return arg;
}

static void *does_wait(void *arg)
{
    CHECK(pthread_once(&waits, wait_inside) == 0);
    return arg;
}

int main(void)
{
    parent = getpid();
    CHECK(sem_init(&inside, 0, 0) == 0 && sem_init(&go, 0, 0) == 0);
    CHECK(pthread_join(spawn(does_fork, NULL), NULL) == 0);
    printf("run %d times\n", forked);

    pthread_t t = spawn(does_wait, NULL);
    CHECK(sem_wait(&inside) == 0);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        does_wait(NULL);
        CHECK(pthread_join(spawn(does_wait, NULL), NULL) == 0);
        printf("child: entered %d times\n", waited);
    } else {
        CHECK(sem_post(&go) == 0 && pthread_join(t, NULL) == 0);
    }
    finish();
    does_wait(NULL);
    printf("entered %d times\n", waited);
    return 0;
}
