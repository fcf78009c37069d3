// Proves: waits for process-shared objects time out, refuse bad times and clocks, are cancelled
// without losing a lock or a wake-up, and hold nobody else up, however many wait.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { MANY = 400 };

struct shared {
    pthread_mutex_t lock, robust;
    pthread_cond_t cond;
    pthread_rwlock_t rw;
    pthread_barrier_t barrier;
    sem_t sem, done;
    int go, woken;
};

static struct shared *s;
static int cleaned;

static void make(void)
{
    pthread_mutexattr_t m;
    pthread_condattr_t c;
    pthread_rwlockattr_t r;
    pthread_barrierattr_t b;
    pthread_mutexattr_init(&m);
    pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
    CHECK(pthread_mutex_init(&s->lock, &m) == 0);
    pthread_mutexattr_setrobust(&m, PTHREAD_MUTEX_ROBUST);
    CHECK(pthread_mutex_init(&s->robust, &m) == 0);
    pthread_condattr_init(&c);
    pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
    pthread_condattr_setclock(&c, CLOCK_MONOTONIC);
    CHECK(pthread_cond_init(&s->cond, &c) == 0);
    pthread_rwlockattr_init(&r);
    pthread_rwlockattr_setpshared(&r, PTHREAD_PROCESS_SHARED);
    CHECK(pthread_rwlock_init(&s->rw, &r) == 0);
    pthread_barrierattr_init(&b);
    pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED);
    CHECK(pthread_barrier_init(&s->barrier, &b, MANY + 1) == 0);
    CHECK(sem_init(&s->sem, 1, 0) == 0 && sem_init(&s->done, 1, 0) == 0);
}

static void *too_late(void *arg)
{
    struct timespec m = ms_from_now(CLOCK_MONOTONIC, 20), r = ms_from_now(CLOCK_REALTIME, 20);
    struct timespec bad = {0, 1000000000};
    CHECK(pthread_mutex_trylock(&s->robust) == EBUSY);
    CHECK(pthread_mutex_timedlock(&s->robust, &r) == ETIMEDOUT);
    CHECK(pthread_mutex_clocklock(&s->robust, CLOCK_MONOTONIC, &m) == ETIMEDOUT);
    CHECK(pthread_mutex_timedlock(&s->robust, &bad) == EINVAL);
    CHECK(pthread_mutex_clocklock(&s->robust, CLOCK_PROCESS_CPUTIME_ID, &m) == EINVAL);
    CHECK(pthread_rwlock_tryrdlock(&s->rw) == EBUSY && pthread_rwlock_trywrlock(&s->rw) == EBUSY);
    r = ms_from_now(CLOCK_REALTIME, 20);
    CHECK(pthread_rwlock_timedrdlock(&s->rw, &r) == ETIMEDOUT);
    CHECK(pthread_rwlock_timedwrlock(&s->rw, &bad) == EINVAL);
    m = ms_from_now(CLOCK_MONOTONIC, 20);
    CHECK(pthread_rwlock_clockwrlock(&s->rw, CLOCK_MONOTONIC, &m) == ETIMEDOUT);
    CHECK(sem_timedwait(&s->sem, &r) == -1 && errno == ETIMEDOUT);
    CHECK(sem_timedwait(&s->sem, &bad) == -1 && errno == EINVAL);
    CHECK(sem_trywait(&s->sem) == -1 && errno == EAGAIN);
    m = ms_from_now(CLOCK_MONOTONIC, 20);
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    CHECK(pthread_cond_timedwait(&s->cond, &s->lock, &m) == ETIMEDOUT);
    CHECK(pthread_cond_timedwait(&s->cond, &s->lock, &bad) == EINVAL);
    r = ms_from_now(CLOCK_REALTIME, 20);
    CHECK(pthread_cond_clockwait(&s->cond, &s->lock, CLOCK_REALTIME, &r) == ETIMEDOUT);
    CHECK(pthread_cond_clockwait(&s->cond, &s->lock, CLOCK_PROCESS_CPUTIME_ID, &r) == EINVAL);
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    return arg;
}

static void unlock(void *arg)
{
    (void)arg;
    cleaned++;
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
}

static void *waits(void *arg)
{
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    pthread_cleanup_push(unlock, NULL);
    s->woken--;
    while (!s->go)
        CHECK(pthread_cond_wait(&s->cond, &s->lock) == 0);
    pthread_cleanup_pop(1);
    return arg;
}

static void *waits_for_permit(void *arg)
{
    CHECK(sem_wait(&s->sem) == 0);
    return arg;
}

static void waiters_there(int n)
{
    for (int there = 0; !there; usleep(1000)) {
        CHECK(pthread_mutex_lock(&s->lock) == 0);
        there = s->woken == -n;
        CHECK(pthread_mutex_unlock(&s->lock) == 0);
    }
}

static void cancelled(void)
{
    void *result;
    pthread_t a = spawn(waits, NULL), b = spawn(waits, NULL), c = spawn(waits_for_permit, NULL);
    waiters_there(2);
    usleep(5000);
    CHECK(pthread_cancel(a) == 0 && pthread_join(a, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(pthread_cancel(c) == 0 && pthread_join(c, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    s->go = 1;
    CHECK(pthread_cond_signal(&s->cond) == 0);
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    CHECK(pthread_join(b, &result) == 0 && result == NULL && cleaned == 2);
}

static void *one_of_many(void *arg)
{
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    s->woken--;
    while (!s->go)
        CHECK(pthread_cond_wait(&s->cond, &s->lock) == 0);
    s->woken++;
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    pthread_barrier_wait(&s->barrier);
    CHECK(pthread_rwlock_rdlock(&s->rw) == 0 && pthread_rwlock_unlock(&s->rw) == 0);
    CHECK(pthread_mutex_lock(&s->robust) == 0 && pthread_mutex_unlock(&s->robust) == 0);
    CHECK(sem_post(&s->done) == 0);
    return arg;
}

static void many(void)
{
    static pthread_t t[MANY];
    s->go = s->woken = 0;
    CHECK(pthread_rwlock_wrlock(&s->rw) == 0 && pthread_mutex_lock(&s->robust) == 0);
    for (int i = 0; i < MANY; i++)
        t[i] = spawn(one_of_many, NULL);
    waiters_there(MANY);
    pid_t child = fork();
    if (child == 0) { // another process wakes them all
        CHECK(pthread_mutex_lock(&s->lock) == 0);
        s->go = 1;
        CHECK(pthread_cond_broadcast(&s->cond) == 0 && pthread_mutex_unlock(&s->lock) == 0);
        pthread_barrier_wait(&s->barrier);
        for (int i = 0; i < MANY; i++)
            CHECK(sem_wait(&s->done) == 0);
        _exit(0);
    }
    usleep(100000);
    CHECK(pthread_rwlock_unlock(&s->rw) == 0);
    usleep(100000);
    CHECK(pthread_mutex_unlock(&s->robust) == 0);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < MANY; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

int main(void)
{
    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(s != MAP_FAILED);
    make();
    CHECK(pthread_mutex_lock(&s->robust) == 0 && pthread_rwlock_wrlock(&s->rw) == 0);
    CHECK(pthread_join(spawn(too_late, NULL), NULL) == 0);
    CHECK(pthread_mutex_unlock(&s->robust) == 0 && pthread_rwlock_unlock(&s->rw) == 0);
    cancelled();
    many();
    CHECK(pthread_cond_destroy(&s->cond) == 0 && pthread_barrier_destroy(&s->barrier) == 0);
    puts("shared waits ok");
    return 0;
}
