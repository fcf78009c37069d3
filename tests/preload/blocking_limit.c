// env: EVY_BLOCKING_THREADS=2
// Proves: more calls that block than libevy may use kernel threads for wait for their turn; they hold
// up neither the other threads nor a cancellation, and all come to their end.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 6, TRIES = 5 };

static int sems, messages;
static atomic_int timed_out, stop;
static double worst;

static void *waits(void *arg)
{
    struct sembuf down = {.sem_op = -1};
    struct timespec limit = {0, 200000000};
    CHECK(semtimedop(sems, &down, 1, &limit) == -1 && errno == EAGAIN);
    timed_out++;
    return arg;
}

/* semtimedop is no cancellation point, msgrcv is. */
static void *waits_to_be_cancelled(void *arg)
{
    struct {
        long type;
        char text[8];
    } message;
    CHECK(msgrcv(messages, &message, sizeof message.text, 0, 0) == 0);
    return arg;
}

static void *ticks(void *arg)
{
    for (double last = now(), t; !stop; last = t) {
        usleep(1000);
        t = now();
        worst = t - last > worst ? t - last : worst;
    }
    return arg;
}

static void cancel(pthread_t t)
{
    void *result;
    CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
}

/* The longest time between two ticks beside them. */
static double once(void)
{
    pthread_t t[THREADS + 1];
    worst = 0;
    stop = timed_out = 0;
    pthread_t ticker = spawn(ticks, NULL);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(waits, NULL);
    t[THREADS] = spawn(waits_to_be_cancelled, NULL);
    usleep(50000);
    cancel(t[THREADS]);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    stop = 1;
    CHECK(pthread_join(ticker, NULL) == 0 && timed_out == THREADS);
    return worst;
}

int main(void)
{
    double best = 1;
    CHECK((sems = semget(IPC_PRIVATE, 1, 0600)) >= 0);
    CHECK((messages = msgget(IPC_PRIVATE, 0600)) >= 0);
    for (int i = 0; i < TRIES && best > 0.1; i++) {
        double gap = once();
        best = gap < best ? gap : best;
    }
    CHECK(semctl(sems, 0, IPC_RMID) == 0 && msgctl(messages, IPC_RMID, NULL) == 0);
    puts(best <= 0.1 ? "ok" : "a tick came late");
    return 0;
}
