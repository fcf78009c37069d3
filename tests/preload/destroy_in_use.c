// Proves: an object may be destroyed, and its memory serve for something else, as soon as POSIX says so, though others are
// still on their way out of it: a condition after the broadcast, a barrier after the wait, a mutex, semaphore or
// rwlock after its last user's call; while it is in use, destroying it says what it says natively.
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum { ROUNDS = 200, WAITERS = 6 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of the conditions, which come and go
static int waiting, go;

struct round {
    pthread_cond_t cond;
    pthread_barrier_t barrier;
    pthread_mutex_t mutex;
    pthread_rwlock_t rw;
    sem_t sem;
    atomic_int users; // who comes to 0 destroys
};

static struct round *r;

// What comes to lie there next.
static void spoil(void *object, size_t size)
{
    memset(object, 0xa5, size);
}

static void leave_cond(void)
{
    CHECK(pthread_mutex_lock(&lock) == 0);
    waiting++;
    while (!go)
        CHECK(pthread_cond_wait(&r->cond, &lock) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

static void use_mutex(void)
{
    CHECK(pthread_mutex_lock(&r->mutex) == 0);
    int left = --r->users;
    if (left % 2)
        sched_yield();
    CHECK(pthread_mutex_unlock(&r->mutex) == 0);
    if (left)
        return;
    CHECK(pthread_mutex_destroy(&r->mutex) == 0);
    spoil(&r->mutex, sizeof r->mutex);
}

static void *body(void *arg)
{
    leave_cond();
    if (pthread_barrier_wait(&r->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
        CHECK(pthread_barrier_destroy(&r->barrier) == 0); // waits for those who leave
        spoil(&r->barrier, sizeof r->barrier);
    }
    use_mutex();
    CHECK(sem_post(&r->sem) == 0);
    return arg;
}

static void destroy_cond(void)
{
    for (int all = 0; !all;) {
        CHECK(pthread_mutex_lock(&lock) == 0);
        all = waiting == WAITERS;
        if (all) {
            go = 1;
            CHECK(pthread_cond_broadcast(&r->cond) == 0);
            CHECK(pthread_cond_destroy(&r->cond) == 0);
            spoil(&r->cond, sizeof r->cond);
        }
        CHECK(pthread_mutex_unlock(&lock) == 0);
        sched_yield();
    }
}

static void one_round(void)
{
    pthread_t t[WAITERS];
    waiting = go = 0;
    r->users = WAITERS;
    CHECK(pthread_cond_init(&r->cond, NULL) == 0 && sem_init(&r->sem, 0, 0) == 0);
    CHECK(pthread_barrier_init(&r->barrier, NULL, WAITERS) == 0);
    CHECK(pthread_mutex_init(&r->mutex, NULL) == 0);
    for (int i = 0; i < WAITERS; i++)
        t[i] = spawn(body, NULL);
    destroy_cond();
    for (int i = 0; i < WAITERS; i++)
        CHECK(sem_wait(&r->sem) == 0);
    CHECK(sem_destroy(&r->sem) == 0); // the last post may be returning
    spoil(&r->sem, sizeof r->sem);
    for (int i = 0; i < WAITERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

// One reads while the other, who comes second, writes and destroys.
static void *writes(void *arg)
{
    CHECK(pthread_rwlock_wrlock(&r->rw) == 0 && pthread_rwlock_unlock(&r->rw) == 0);
    CHECK(pthread_rwlock_destroy(&r->rw) == 0);
    spoil(&r->rw, sizeof r->rw);
    return arg;
}

static void rwlocks(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_rwlock_init(&r->rw, NULL) == 0 && pthread_rwlock_rdlock(&r->rw) == 0);
        pthread_t t = spawn(writes, NULL);
        for (int k = i % 3; k > 0; k--)
            sched_yield();
        CHECK(pthread_rwlock_unlock(&r->rw) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
}

static void *holds(void *arg)
{
    CHECK(pthread_mutex_lock(&r->mutex) == 0 && sem_post(&r->sem) == 0);
    CHECK(sem_wait(arg) == 0 && pthread_mutex_unlock(&r->mutex) == 0);
    return NULL;
}

static void busy(void)
{
    sem_t end;
    CHECK(sem_init(&end, 0, 0) == 0 && sem_init(&r->sem, 0, 0) == 0);
    CHECK(pthread_mutex_init(&r->mutex, NULL) == 0);
    pthread_t t = spawn(holds, &end);
    CHECK(sem_wait(&r->sem) == 0);
    printf("a held mutex: %s\n", strerror(pthread_mutex_destroy(&r->mutex)));
    CHECK(sem_post(&end) == 0 && pthread_join(t, NULL) == 0);
    printf("a free one: %s\n", strerror(pthread_mutex_destroy(&r->mutex)));
    CHECK(pthread_mutex_init(&r->mutex, NULL) == 0 && pthread_mutex_destroy(&r->mutex) == 0);
}

int main(void)
{
    r = malloc(sizeof *r);
    CHECK(r != NULL);
    for (int i = 0; i < ROUNDS; i++)
        one_round();
    rwlocks();
    busy();
    free(r);
    puts("destroyed");
    return 0;
}
