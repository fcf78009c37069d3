// Proves: C11 threads.h: thrd, mtx (plain, recursive, timed), cnd, tss with destructors,
// call_once, thrd_sleep, thread_local.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 40, TURNS = 200 };

static mtx_t lock, recursive, timed;
static cnd_t cond;
static tss_t tss;
static once_flag once = ONCE_FLAG_INIT;
static atomic_int runs, destroyed;
static int counter, ready;
static thread_local int own = 3;

static void run_once(void)
{
    usleep(2000);
    runs++;
}

static void destructor(void *p)
{
    CHECK(p == &own);
    destroyed++;
}

static int body(void *arg)
{
    call_once(&once, run_once);
    CHECK(runs == 1 && own == 3);
    own++;
    CHECK(tss_get(tss) == NULL && tss_set(tss, &own) == thrd_success);
    for (int i = 0; i < TURNS; i++) {
        CHECK(mtx_lock(&lock) == thrd_success);
        int seen = counter;
        if (i % 50 == 0)
            thrd_yield();
        counter = seen + 1;
        CHECK(mtx_unlock(&lock) == thrd_success);
    }
    CHECK(mtx_lock(&recursive) == thrd_success && mtx_trylock(&recursive) == thrd_success);
    thrd_sleep(&(struct timespec){0, 1000}, NULL);
    CHECK(mtx_unlock(&recursive) == thrd_success && mtx_unlock(&recursive) == thrd_success);
    mtx_lock(&lock);
    while (!ready)
        CHECK(cnd_wait(&cond, &lock) == thrd_success);
    mtx_unlock(&lock);
    if (arg)
        thrd_exit(17);
    return own;
}

static int tries(void *arg)
{
    struct timespec t;
    (void)arg;
    CHECK(mtx_trylock(&timed) == thrd_busy);
    timespec_get(&t, TIME_UTC);
    t.tv_nsec += 30000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    CHECK(mtx_timedlock(&timed, &t) == thrd_timedout);
    mtx_lock(&lock);
    CHECK(cnd_timedwait(&cond, &lock, &t) == thrd_timedout);
    mtx_unlock(&lock);
    return 0;
}

int main(void)
{
    thrd_t t[THREADS], x;
    int result, sum = 0;
    CHECK(mtx_init(&lock, mtx_plain) == thrd_success &&
          mtx_init(&recursive, mtx_plain | mtx_recursive) == thrd_success);
    CHECK(mtx_init(&timed, mtx_timed) == thrd_success && cnd_init(&cond) == thrd_success);
    CHECK(tss_create(&tss, destructor) == thrd_success);
    for (int i = 0; i < THREADS; i++)
        CHECK(thrd_create(&t[i], body, i % 2 ? &lock : NULL) == thrd_success);
    usleep(5000);
    mtx_lock(&lock);
    ready = 1;
    cnd_broadcast(&cond);
    mtx_unlock(&lock);
    for (int i = 0; i < THREADS; i++) {
        CHECK(thrd_join(t[i], &result) == thrd_success);
        sum += result;
    }
    mtx_lock(&timed);
    CHECK(thrd_create(&x, tries, NULL) == thrd_success && thrd_join(x, &result) == thrd_success);
    CHECK(thrd_create(&x, tries, NULL) == thrd_success && thrd_detach(x) == thrd_success);
    usleep(100000);
    CHECK(thrd_equal(thrd_current(), thrd_current()));
    printf("counter %d sum %d destroyed %d\n", counter, sum, destroyed);
    return 0;
}
