// flags: -lrt
// Proves: kernel threads that pthread_create did not make (timer_create with SIGEV_THREAD,
// getaddrinfo_a) share mutexes, conditions and semaphores with the program's threads in both
// directions.
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t permit;
static int ticks, seen;

static void tick(union sigval v)
{
    CHECK(v.sival_int == 17);
    CHECK(sem_wait(&permit) == 0); // a thread of the program posts
    pthread_mutex_lock(&lock);
    ticks++;
    usleep(100);
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
}

static void *watcher(void *arg)
{
    pthread_mutex_lock(&lock);
    while (ticks < 10)
        pthread_cond_wait(&cond, &lock);
    seen++;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *poster(void *arg)
{
    for (int i = 0; i < 200; i++) {
        usleep(1000);
        CHECK(sem_post(&permit) == 0);
    }
    return arg;
}

int main(void)
{
    pthread_t t[5], p;
    timer_t timer;
    struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 17};
    struct itimerspec s = {{0, 5000000}, {0, 5000000}}, stop = {{0, 0}, {0, 0}};
    e.sigev_notify_function = tick;
    CHECK(sem_init(&permit, 0, 0) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &timer) == 0 && timer_settime(timer, 0, &s, NULL) == 0);
    for (int i = 0; i < 5; i++)
        CHECK(pthread_create(&t[i], NULL, watcher, NULL) == 0);
    CHECK(pthread_create(&p, NULL, poster, NULL) == 0);
    for (int i = 0; i < 5; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(timer_settime(timer, 0, &stop, NULL) == 0);
    CHECK(pthread_join(p, NULL) == 0 && timer_delete(timer) == 0);
    struct gaicb request = {.ar_name = "127.0.0.1"}, *list[] = {&request};
    CHECK(getaddrinfo_a(GAI_WAIT, list, 1, NULL) == 0 && gai_error(&request) == 0);
    freeaddrinfo(request.ar_result);
    usleep(20000);
    printf("seen %d\n", seen);
    return 0;
}
