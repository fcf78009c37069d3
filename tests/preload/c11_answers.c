// Proves: what C11's thread calls answer: success, busy, timed out, error; results of threads that
// return, exit or are negative; signals one by one; destroyed objects used again.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { WAITERS = 5 };

static mtx_t lock;
static cnd_t cond;
static int permits, waiting, inits;
static once_flag flag = ONCE_FLAG_INIT;

static void init(void)
{
    inits++;
}

static int waits(void *arg)
{
    call_once(&flag, init);
    CHECK(mtx_lock(&lock) == thrd_success);
    waiting++;
    while (permits == 0)
        CHECK(cnd_wait(&cond, &lock) == thrd_success);
    permits--;
    CHECK(mtx_unlock(&lock) == thrd_success);
    return arg ? -7 : 1 << 30;
}

static int leaves(void *arg)
{
    (void)arg;
    thrd_exit(-1);
}

static int on_held(void *arg)
{
    mtx_t *m = arg;
    struct timespec past = {1, 0}, bad = {1, 1000000000};
    printf("held: try %d timed %d bad %d\n", mtx_trylock(m), mtx_timedlock(m, &past),
           mtx_timedlock(m, &bad));
    return 0;
}

static void mutexes(int type)
{
    mtx_t m;
    thrd_t t;
    printf("type %d: init %d\n", type, mtx_init(&m, type));
    CHECK(mtx_lock(&m) == thrd_success);
    if (type & mtx_recursive)
        CHECK(mtx_lock(&m) == thrd_success && mtx_trylock(&m) == thrd_success &&
              mtx_unlock(&m) == thrd_success && mtx_unlock(&m) == thrd_success);
    CHECK(thrd_create(&t, on_held, &m) == thrd_success && thrd_join(t, NULL) == thrd_success);
    CHECK(mtx_unlock(&m) == thrd_success);
    if (type & mtx_recursive)
        printf("not held: unlock %d\n", mtx_unlock(&m));
    mtx_destroy(&m);
    printf("destroyed: lock %d try %d unlock %d\n", mtx_lock(&m), mtx_trylock(&m), mtx_unlock(&m));
}

static void conditions(void)
{
    thrd_t t[WAITERS];
    int result, sum = 0;
    struct timespec past = {1, 0}, bad = {1, -1};
    CHECK(mtx_init(&lock, mtx_plain) == thrd_success && cnd_init(&cond) == thrd_success);
    for (int i = 0; i < WAITERS; i++)
        CHECK(thrd_create(&t[i], waits, i % 2 ? &lock : NULL) == thrd_success);
    for (int given = 0; given < WAITERS;) {
        CHECK(mtx_lock(&lock) == thrd_success);
        if (given < waiting) {
            permits++;
            given++;
            CHECK(cnd_signal(&cond) == thrd_success);
        }
        CHECK(mtx_unlock(&lock) == thrd_success);
        thrd_yield();
    }
    for (int i = 0; i < WAITERS; i++) {
        CHECK(thrd_join(t[i], &result) == thrd_success);
        sum += result == -7;
    }
    CHECK(mtx_lock(&lock) == thrd_success);
    printf("condition: past %d bad %d\n", cnd_timedwait(&cond, &lock, &past),
           cnd_timedwait(&cond, &lock, &bad));
    CHECK(mtx_unlock(&lock) == thrd_success);
    cnd_destroy(&cond);
    mtx_destroy(&lock);
    printf("negative results %d inits %d\n", sum, inits);
}

int main(void)
{
    thrd_t t;
    int result;
    struct timespec bad = {0, -1}, none = {0, 0};
    printf("mtx_init(99): %d\n", mtx_init(&lock, 99));
    CHECK(thrd_create(&t, leaves, NULL) == thrd_success && thrd_join(t, &result) == thrd_success);
    printf("exit %d sleep %d bad sleep %d\n", result, thrd_sleep(&none, NULL),
           thrd_sleep(&bad, NULL));
    for (int i = 0; i < 4; i++)
        mutexes((i & 1 ? mtx_recursive : mtx_plain) | (i & 2 ? mtx_timed : 0));
    conditions();
    CHECK(thrd_equal(t, t) && thrd_equal(thrd_current(), thrd_current()));
    printf("join oneself %d\n", thrd_join(thrd_current(), NULL));
    return 0;
}
