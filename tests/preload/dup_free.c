// Proves: who puts a descriptor at a number that nobody has finds nothing there and keeps it, however many threads compute,
// block where nobody sees it, wait for children or get a kernel thread of their own meanwhile: the runtime's own descriptors
// do not come by.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { SPINNERS = 6, CHILDREN = 40, APART = 60 };

static atomic_bool stop;

static void *spins(void *arg)
{
    while (!stop)
        for (volatile int i = 0; i < 100000; i++)
            ;
    return arg;
}

static void *waits(void *arg)
{
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            _exit(i);
        CHECK(waitpid(pid, &status, 0) == pid && status == i << 8);
    }
    return arg;
}

static void *settles(void *arg)
{
    setfsuid(getuid());
    while (!stop)
        usleep(10000);
    return arg;
}

static void *makes_them(void *arg)
{
    pthread_t t[APART];
    for (int i = 0; i < APART; i++) {
        t[i] = spawn(settles, NULL);
        usleep(10000);
    }
    for (int i = 0; i < APART; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    return arg;
}

/* At the lowest number, that the next one to open anything would get. */
static void put(int from, int number, ino_t inode)
{
    struct stat at;
    CHECK(dup2(from, number) == number);
    for (int i = 0; i < 3; i++)
        CHECK(fstat(number, &at) == 0 && at.st_ino == inode);
    CHECK(close(number) == 0);
}

int main(void)
{
    int pair[2];
    struct stat ours;
    pthread_t t[SPINNERS], w, m;
    CHECK(pipe(pair) == 0 && fstat(pair[1], &ours) == 0);
    int number = dup(0);
    CHECK(number >= 0 && close(number) == 0);
    for (int i = 0; i < SPINNERS; i++)
        t[i] = spawn(spins, NULL);
    w = spawn(waits, NULL);
    m = spawn(makes_them, NULL);
    double end = now() + 1.5;
    while (now() < end)
        put(pair[1], number, ours.st_ino);
    stop = true;
    for (int i = 0; i < SPINNERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_join(w, NULL) == 0 && pthread_join(m, NULL) == 0);
    puts("kept");
    return 0;
}
