// Proves: who puts a descriptor at a number that nobody has finds nothing there and keeps it, however many threads compute,
// block where nobody sees it or wait for children meanwhile: the runtime's own descriptors do not come by.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { SPINNERS = 6, CHILDREN = 40 };

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

/* At the lowest number, that the next one to open anything would get. */
static void put(int from, int number, ino_t inode)
{
    struct stat at;
    CHECK(dup2(from, number) == number);
    for (int i = 0; i < 3; i++)
        CHECK(fstat(number, &at) == 0 && at.st_ino == inode);
    CHECK(close(number) == 0);
    CHECK(fcntl(number, F_GETFD) == -1 && errno == EBADF);
}

int main(void)
{
    int pair[2];
    struct stat ours;
    pthread_t t[SPINNERS], w;
    CHECK(pipe(pair) == 0 && fstat(pair[1], &ours) == 0);
    int number = dup(0);
    CHECK(number >= 0 && close(number) == 0);
    for (int i = 0; i < SPINNERS; i++)
        t[i] = spawn(spins, NULL);
    w = spawn(waits, NULL);
    double end = now() + 1.5;
    while (now() < end)
        put(pair[1], number, ours.st_ino);
    stop = true;
    for (int i = 0; i < SPINNERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_join(w, NULL) == 0);
    puts("kept");
    return 0;
}
