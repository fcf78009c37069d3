// flags: -lrt
// Proves: kernel threads of libc's own (timer_create, aio, getaddrinfo_a) that wait for mutexes,
// conditions and semaphores before the first pthread_create, and after it, are woken by the
// program's threads, and wake them.
#define _GNU_SOURCE
#include <aio.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { ROUNDS = 40 };

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER, lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem, answer;
static atomic_int there;
static int go, told, counter;

static void notify(union sigval v)
{
    switch (v.sival_int) {
    case 0: // main holds it
        there++;
        CHECK(pthread_mutex_lock(&held) == 0 && pthread_mutex_unlock(&held) == 0);
        break;
    case 1:
        CHECK(pthread_mutex_lock(&lock) == 0);
        there++;
        while (!go)
            CHECK(pthread_cond_wait(&cond, &lock) == 0);
        CHECK(pthread_mutex_unlock(&lock) == 0);
        break;
    case 2:
        there++;
        CHECK(sem_wait(&sem) == 0);
        break;
    case 3: // main holds it for reading
        there++;
        CHECK(pthread_rwlock_wrlock(&rw) == 0 && pthread_rwlock_unlock(&rw) == 0);
        break;
    default:
        for (int i = 0; i < ROUNDS; i++) {
            CHECK(pthread_mutex_lock(&recursive) == 0 && pthread_mutex_lock(&recursive) == 0);
            counter++;
            usleep(10);
            CHECK(pthread_mutex_unlock(&recursive) == 0 && pthread_mutex_unlock(&recursive) == 0);
        }
        CHECK(pthread_mutex_lock(&lock) == 0);
        told++;
        CHECK(pthread_cond_broadcast(&cond) == 0 && pthread_mutex_unlock(&lock) == 0);
    }
    CHECK(sem_post(&answer) == 0);
}

static timer_t start_timer(int what)
{
    timer_t t;
    struct itimerspec in = {{0, 0}, {0, 1000000}};
    struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = what};
    e.sigev_notify_function = notify;
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &t) == 0 && timer_settime(t, 0, &in, NULL) == 0);
    return t;
}

static void *waits_for_told(void *arg)
{
    CHECK(pthread_mutex_lock(&lock) == 0);
    while (told < 2)
        CHECK(pthread_cond_wait(&cond, &lock) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return arg;
}

static void *counts(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_mutex_lock(&recursive) == 0);
        int seen = counter;
        sched_yield();
        counter = seen + 1;
        CHECK(pthread_mutex_unlock(&recursive) == 0);
    }
    return arg;
}

static void *releases(void *arg)
{
    usleep(1000);
    CHECK(pthread_mutex_lock(&lock) == 0);
    go = 1;
    CHECK(pthread_cond_signal(&cond) == 0 && pthread_mutex_unlock(&lock) == 0);
    CHECK(sem_post(&sem) == 0);
    return arg;
}

static void other_helpers(void)
{
    char byte;
    int p[2];
    struct gaicb request = {.ar_name = "127.0.0.1"}, *list[] = {&request};
    struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 4};
    e.sigev_notify_function = notify;
    CHECK(pipe(p) == 0 && write(p[1], "x", 1) == 1);
    struct aiocb a = {.aio_fildes = p[0], .aio_buf = &byte, .aio_nbytes = 1, .aio_sigevent = e};
    CHECK(aio_read(&a) == 0 && getaddrinfo_a(GAI_NOWAIT, list, 1, &e) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(sem_wait(&answer) == 0);
    CHECK(aio_error(&a) == 0 && aio_return(&a) == 1 && gai_error(&request) == 0);
    freeaddrinfo(request.ar_result);
}

int main(void)
{
    pthread_t t[4];
    timer_t timers[4];
    CHECK(sem_init(&sem, 0, 0) == 0 && sem_init(&answer, 0, 0) == 0);
    CHECK(pthread_mutex_lock(&held) == 0 && pthread_rwlock_rdlock(&rw) == 0);
    for (int i = 0; i < 4; i++)
        timers[i] = start_timer(i);
    while (there < 4)
        usleep(100);
    usleep(5000); // they wait natively now
    CHECK(pthread_create(&t[0], NULL, releases, NULL) == 0);
    CHECK(pthread_mutex_unlock(&held) == 0 && pthread_rwlock_unlock(&rw) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(sem_wait(&answer) == 0);
    CHECK(pthread_create(&t[1], NULL, waits_for_told, NULL) == 0);
    for (int i = 2; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, counts, NULL) == 0);
    other_helpers();
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0 && timer_delete(timers[i]) == 0);
    printf("counter %d told %d\n", counter, told);
    return 0;
}
