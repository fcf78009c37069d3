/* For deadlock.sh: two threads that take two locks in turns, and main, which waits for one of them; or, by its
   argument, something that looks like it and is none. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

pthread_mutex_t forks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
pthread_barrier_t both;
sem_t never;
sem_t *shared = &never;

void *philosopher(void *arg)
{
    pthread_mutex_t *left = arg, *right = left == forks ? forks + 1 : forks;
    pthread_setname_np(pthread_self(), left == forks ? "left" : "right");
    pthread_mutex_lock(left);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(right);
    return arg;
}

void *waits(void *arg)
{
    char c;
    int fds[2];
    sigset_t set;
    const char *kind = arg;
    if (strcmp(kind, "descriptor") == 0 && pipe(fds) == 0)
        return read(fds[0], &c, 1) == 1 ? arg : NULL;
    if (strcmp(kind, "timer") == 0)
        sleep(100);
    if (strcmp(kind, "signal") == 0)
        pause();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if (strcmp(kind, "sigwait") == 0)
        sigwaitinfo(&set, NULL);
    if (strcmp(kind, "blocked") == 0)
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
    if (strcmp(kind, "process") == 0)
        sem_wait(shared);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t[2], other;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || sem_init(shared, 1, 0) || pthread_barrier_init(&both, NULL, 2))
        return 1;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&t[i], NULL, philosopher, &forks[i]))
            return 1;
    if (argc > 1 && pthread_create(&other, NULL, waits, argv[1]))
        return 1;
    return pthread_join(t[0], NULL);
}
