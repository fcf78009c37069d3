// flags: -lrt
// Proves: sleep, usleep, nanosleep, clock_nanosleep, pause, sem_wait, sem_timedwait, pthread_join,
// sigwait, pthread_cond_timedwait, pthread_cond_clockwait and aio_suspend are cancellation points that act while blocked.
#define _GNU_SOURCE
#include <aio.h>
#include <errno.h>
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

enum { KINDS = 12 };

static const char *const names[KINDS] = {
    "sleep",         "usleep", "nanosleep", "clock_nanosleep", "pause",          "sem_wait",
    "sem_timedwait", "join",   "sigwait",   "cond_timedwait",  "cond_clockwait", "aio_suspend"};
static sem_t sem;
static pthread_t longlived;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int cleaned;
static char byte;
static struct aiocb never = {.aio_buf = &byte, .aio_nbytes = 1}; // reads an empty pipe

static void clean(void *arg)
{
    (void)arg;
    atomic_fetch_add(&cleaned, 1);
}

static void unlock(void *arg)
{
    CHECK(pthread_mutex_unlock(arg) == 0);
}

static void block(int kind)
{
    struct timespec t = {1000, 0}, far;
    sigset_t set;
    int sig;
    clock_gettime(CLOCK_REALTIME, &far);
    far.tv_sec += 1000;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    switch (kind) {
    case 0:
        sleep(1000);
        break;
    case 1:
        usleep(999999999);
        break;
    case 2:
        nanosleep(&t, NULL);
        break;
    case 3:
        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &far, NULL);
        break;
    case 4:
        pause();
        break;
    case 5:
        sem_wait(&sem);
        break;
    case 6:
        sem_timedwait(&sem, &far);
        break;
    case 7:
        pthread_join(longlived, NULL);
        break;
    case 8:
        sigwait(&set, &sig);
        break;
    case 9:
        pthread_mutex_lock(&lock);
        pthread_cleanup_push(unlock, &lock);
        pthread_cond_timedwait(&cond, &lock, &far);
        pthread_cleanup_pop(1);
        break;
    case 10:
        pthread_mutex_lock(&lock);
        pthread_cleanup_push(unlock, &lock);
        pthread_cond_clockwait(&cond, &lock, CLOCK_REALTIME, &far);
        pthread_cleanup_pop(1);
        break;
    case 11:
        aio_suspend(&(const struct aiocb *){&never}, 1, NULL);
        break;
    }
}

static void *body(void *arg)
{
    pthread_cleanup_push(clean, NULL);
    block((int)(intptr_t)arg);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *live(void *arg)
{
    return sem_wait(arg) == 0 ? arg : NULL;
}

int main(void)
{
    sem_t end;
    int fds[2];
    sigset_t set;
    void *result;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(pipe(fds) == 0);
    never.aio_fildes = fds[0];
    CHECK(aio_read(&never) == 0);
    CHECK(sem_init(&sem, 0, 0) == 0 && sem_init(&end, 0, 0) == 0);
    CHECK(pthread_create(&longlived, NULL, live, &end) == 0);
    for (int round = 0; round < 3; round++) {
        pthread_t t[KINDS];
        cleaned = 0;
        for (int i = 0; i < KINDS; i++)
            CHECK(pthread_create(&t[i], NULL, body, (void *)(intptr_t)i) == 0);
        if (round)
            usleep(30000);
        for (int i = 0; i < KINDS; i++)
            CHECK(pthread_cancel(t[i]) == 0);
        for (int i = 0; i < KINDS; i++) {
            CHECK(pthread_join(t[i], &result) == 0);
            if (result != PTHREAD_CANCELED)
                printf("%s: not cancelled\n", names[i]);
        }
        CHECK(!round || cleaned == KINDS);
        CHECK(pthread_mutex_trylock(&lock) == 0 && pthread_mutex_unlock(&lock) == 0);
    }
    int value;
    CHECK(sem_getvalue(&sem, &value) == 0 && value == 0);
    CHECK(sem_post(&end) == 0);
    CHECK(pthread_join(longlived, &result) == 0 &&
          result == &end); // still joinable after cancelled joiners
    puts("cancelled in waits");
    return 0;
}
