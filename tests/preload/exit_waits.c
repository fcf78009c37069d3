// Proves: what runs at a process's end may wait for its threads: handlers of atexit and destructors join, lock, wait on
// conditions and semaphores, read pipes, start threads and children, call exit's family again, whichever thread ends it.
#define _GNU_SOURCE
#include "check.h"

#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { WAYS = 9 };

static int way;
static pthread_t worker;
static atomic_int stop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int pipes[2];

static void *works(void *arg)
{
    while (!stop)
        usleep(500);
    if (way < 4)
        fputs("worker ", stdout);
    pthread_mutex_lock(&lock);
    stop = 2;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    sem_post(&sem);
    CHECK(write(pipes[1], "p", 1) == 1);
    return arg;
}

static void *new_thread(void *arg)
{
    usleep(1000);
    fputs("new ", stdout);
    return arg;
}

static void at_exit(void)
{
    char c;
    int status;
    pid_t pid;
    stop = 1;
    switch (way) {
    case 0:
        pthread_join(worker, NULL);
        break;
    case 1:
        pthread_mutex_lock(&lock);
        while (stop < 2)
            pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
        break;
    case 2:
        sem_wait(&sem);
        break;
    case 3:
        CHECK(read(pipes[0], &c, 1) == 1);
        break;
    case 4:
        pthread_join(spawn(new_thread, NULL), NULL);
        break;
    case 5:
        fflush(stdout);
        if ((pid = fork()) == 0)
            _exit(0);
        CHECK(waitpid(pid, &status, 0) == pid && system("exit 3") == 0x300);
        break;
    case 6:
        exit(55); /* undefined, works everywhere: the rest of the handlers, this status */
    case 7:
        fputs("lost?", stdout);
        fflush(stdout);
        _exit(56);
    default:
        pthread_cancel(worker);
        pthread_join(worker, NULL);
    }
    fputs("atexit ", stdout);
}

static void first(void)
{
    usleep(100);
    fputs("first ", stdout);
}

static void *ends(void *arg)
{
    exit(arg ? 4 : 5);
}

static void *spins(void *arg)
{
    while (arg)
        ++*(volatile int *)arg;
    return NULL;
}

static void life(int from)
{
    static int count;
    CHECK(pipe(pipes) == 0 && sem_init(&sem, 0, 0) == 0);
    atexit(first);
    atexit(at_exit);
    worker = spawn(works, NULL);
    spawn(spins, &count);
    fputs("buffered ", stdout);
    if (from == 0)
        exit(4);
    spawn(ends, from == 1 ? &way : NULL);
    if (from == 2)
        pthread_exit(NULL);
    for (;;)
        pause();
}

int main(void)
{
    for (int i = 0; i < WAYS * 3; i++) {
        int status;
        printf("%d %d: ", i / 3, i % 3);
        fflush(stdout);
        way = i / 3;
        pid_t pid = fork();
        if (pid == 0)
            life(i % 3);
        CHECK(waitpid(pid, &status, 0) == pid);
        printf("status %x\n", status);
    }
    fflush(stdout);
    _exit(0);
}
