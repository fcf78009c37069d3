// run: 200
// Proves: a signal that meets a thread on its way into a wait is never lost: it ends the wait or is handled before, for
// each kind of wait, the handler posting and writing while hubs are busy.
#define _GNU_SOURCE
#include "check.h"

#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { WAITERS = 6 };

static int rounds, poller;
static sem_t posted[WAITERS], ready[WAITERS];
static int pipes[WAITERS][2];
static __thread int me;
static __thread volatile int handled;
static atomic_int over, turns;

static void handler(int sig)
{
    char c = 'x';
    (void)sig;
    handled++;
    if (write(pipes[me][1], &c, 1) == 1)
        sem_post(&posted[me]);
}

static void wait_for_one(int how, int seen)
{
    sigset_t usr, old, open;
    struct timespec ten = {10, 0};
    struct epoll_event event;
    struct pollfd p = {.fd = pipes[me][0], .events = POLLIN};
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr, &old);
    open = old;
    sigdelset(&open, SIGUSR1);
    while (handled == seen) {
        if (how == 0)
            CHECK(sigsuspend(&open) == -1 && errno == EINTR);
        else if (how == 1)
            CHECK(ppoll(NULL, 0, &ten, &open) == -1 && errno == EINTR);
        else if (how == 2)
            CHECK(pselect(0, NULL, NULL, NULL, &ten, &open) == -1 && errno == EINTR);
        else if (how == 3)
            CHECK(epoll_pwait(poller, &event, 1, 10000, &open) == -1 && errno == EINTR);
        else if (how == 4)
            CHECK(epoll_pwait2(poller, &event, 1, &ten, &open) == -1 && errno == EINTR);
        else {
            pthread_sigmask(SIG_SETMASK, &open, NULL);
            CHECK(poll(&p, 1, 10000) == 1 || errno == EINTR);
        }
    }
    pthread_sigmask(SIG_SETMASK, &open, NULL);
}

static void *waits(void *number)
{
    char c;
    me = (int)(long)number;
    for (int i = 0; i < rounds; i++) {
        wait_for_one(me, i);
        CHECK(handled == i + 1);
        CHECK(sem_wait(&posted[me]) == 0 && read(pipes[me][0], &c, 1) == 1);
        sem_post(&ready[me]);
    }
    return NULL;
}

struct pair {
    pthread_t target;
    int number;
};

static void *sends_to(void *arg)
{
    const struct pair *p = arg;
    unsigned seed = (unsigned)p->number;
    for (int i = 0; i < rounds; i++) {
        for (int spin = rand_r(&seed) % 2000; spin > 0; spin--)
            __asm__ volatile("");
        if (i % 3 == 0)
            sched_yield();
        CHECK(pthread_kill(p->target, SIGUSR1) == 0);
        CHECK(sem_wait(&ready[p->number]) == 0);
    }
    return NULL;
}

static void *turns_round(void *arg)
{
    while (!over) {
        turns++;
        sched_yield();
    }
    return arg;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = handler};
    sigset_t usr;
    struct pair pairs[WAITERS];
    pthread_t senders[WAITERS], turning;
    rounds = argc > 1 ? atoi(argv[1]) : 200;
    poller = epoll_create1(0);
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr, NULL); /* not before a thread knows its number */
    turning = spawn(turns_round, NULL);
    for (int i = 0; i < WAITERS; i++) {
        CHECK(pipe(pipes[i]) == 0 && sem_init(&posted[i], 0, 0) == 0 &&
              sem_init(&ready[i], 0, 0) == 0);
        pairs[i] = (struct pair){spawn(waits, (void *)(long)i), i};
    }
    for (int i = 0; i < WAITERS; i++)
        senders[i] = spawn(sends_to, &pairs[i]);
    for (int i = 0; i < WAITERS; i++) {
        CHECK(pthread_join(senders[i], NULL) == 0);
        CHECK(pthread_join(pairs[i].target, NULL) == 0);
    }
    over = 1;
    pthread_join(turning, NULL);
    printf("%d signals for each of %d\n", rounds, WAITERS);
    return 0;
}
