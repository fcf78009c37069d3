/* Mutex, condition, semaphore, once, rwlock, barrier, spin: on kernel threads and on green ones. */
#include "../suite.h"
#include "greens.h"

#include "base/clock.h"
#include "sync/sync.h"
#include "sync/words.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS = 8, ROUNDS = 500 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;
static pthread_spinlock_t spinlock;
static sem_t sem;
static unsigned counter, turn, items;
static atomic_uint serials, inits;

/* 0: kernel threads; else green ones on that many hubs. */
static void run_workers(int hubs_wanted, void *(*body)(void *))
{
    pthread_t t[WORKERS];
    real_resolve(); /* as the library does when it is loaded */
    ck_assert_int_eq(tcb_discover(), 0);
    if (hubs_wanted)
        greens_start((unsigned)hubs_wanted);
    for (uintptr_t i = 0; i < WORKERS; i++) {
        if (hubs_wanted)
            greens_spawn(body, (void *)i);
        else
            pthread_create(&t[i], NULL, body, (void *)i);
    }
    if (hubs_wanted)
        greens_join(WORKERS);
    for (int i = 0; i < WORKERS && !hubs_wanted; i++)
        pthread_join(t[i], NULL);
}

/* Others run in the middle of a section, on one hub too. */
static void dawdle(unsigned i)
{
    if (i % 16 == 0 && self())
        sched_yield_now();
}

static void *count_locked(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(evy_pthread_mutex_lock(&mutex), 0);
        unsigned seen = counter;
        dawdle(i);
        counter = seen + 1;
        ck_assert_int_eq(evy_pthread_mutex_unlock(&mutex), 0);
    }
    return arg;
}

START_TEST(mutex_excludes)
{
    run_workers(_i, count_locked);
    ck_assert_uint_eq(counter, WORKERS * ROUNDS);
    struct mutex *m = (struct mutex *)&mutex;
    ck_assert_uint_eq(m->lock, 0);
    ck_assert_uint_eq(m->nusers, 0);
    ck_assert_int_eq(m->owner, 0);
}
END_TEST

static void *take_turns(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        evy_pthread_mutex_lock(&mutex);
        while (turn % WORKERS != me)
            ck_assert_int_eq(evy_pthread_cond_wait(&cond, &mutex), 0);
        turn++;
        evy_pthread_cond_broadcast(&cond);
        evy_pthread_mutex_unlock(&mutex);
    }
    return arg;
}

START_TEST(cond_broadcast_wakes_the_right_one)
{
    run_workers(_i, take_turns);
    ck_assert_uint_eq(turn, WORKERS * ROUNDS);
    ck_assert_int_eq(evy_pthread_cond_destroy(&cond), 0);
    ck_assert_int_eq(evy_pthread_mutex_destroy(&mutex), 0);
}
END_TEST

/* Half produce with signal, half consume, some with timeouts: a lost signal hangs or starves. */
static void *produce_consume(void *arg)
{
    bool producer = (uintptr_t)arg % 2;
    for (unsigned i = 0; i < ROUNDS; i++) {
        evy_pthread_mutex_lock(&mutex);
        if (producer) {
            items++;
            evy_pthread_cond_signal(&cond);
        }
        while (!producer && items == 0) {
            struct timespec at = ns_to_timespec(clock_now() + 20000);
            int r = i % 2 ? evy_pthread_cond_wait(&cond, &mutex)
                          : evy_pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &at);
            ck_assert(r == 0 || r == ETIMEDOUT);
        }
        items -= !producer;
        evy_pthread_mutex_unlock(&mutex);
        dawdle(i);
    }
    return arg;
}

START_TEST(cond_signal_is_never_lost)
{
    run_workers(_i, produce_consume);
    ck_assert_uint_eq(items, 0);
}
END_TEST

static void *sem_critical(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        while (evy_sem_wait(&sem))
            ck_assert_int_eq(errno, EINTR);
        unsigned seen = counter;
        dawdle(i);
        counter = seen + 1;
        ck_assert_int_eq(evy_sem_post(&sem), 0);
    }
    return arg;
}

START_TEST(sem_excludes)
{
    sem_init(&sem, 0, 1);
    run_workers(_i, sem_critical);
    ck_assert_uint_eq(counter, WORKERS * ROUNDS);
    ck_assert_uint_eq(((struct sem *)&sem)->data, 1);
}
END_TEST

START_TEST(shared_sem_excludes)
{
    sem_init(&sem, 1, 1);
    run_workers(_i, sem_critical);
    ck_assert_uint_eq(counter, WORKERS * ROUNDS);
    ck_assert_uint_eq(((struct sem *)&sem)->data, 1);
}
END_TEST

static void init_once(void)
{
    if (self())
        sched_yield_now();
    atomic_fetch_add(&inits, 1);
}

static void *call_once_body(void *arg)
{
    ck_assert_int_eq(evy_pthread_once(&once, init_once), 0);
    ck_assert_uint_eq(inits, 1);
    return arg;
}

START_TEST(once_runs_once)
{
    run_workers(_i, call_once_body);
    ck_assert_int_eq(once, ONCE_DONE);
}
END_TEST

static void *read_write(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct timespec at = ns_to_timespec(clock_now() + 50000);
        bool write = (i + (uintptr_t)arg) % 4 == 0;
        int r = write   ? evy_pthread_rwlock_wrlock(&rwlock)
                : i % 3 ? evy_pthread_rwlock_rdlock(&rwlock)
                        : evy_pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &at);
        if (r == ETIMEDOUT)
            continue;
        ck_assert_int_eq(r, 0);
        unsigned seen = counter;
        dawdle(i);
        ck_assert_uint_eq(seen, counter);
        if (write)
            counter++;
        ck_assert_int_eq(evy_pthread_rwlock_unlock(&rwlock), 0);
    }
    return arg;
}

static void check_rwlock(int hubs_wanted)
{
    run_workers(hubs_wanted, read_write);
    ck_assert_uint_eq(counter, WORKERS * ROUNDS / 4);
    ck_assert_int_eq(evy_pthread_rwlock_trywrlock(&rwlock), 0);
    ck_assert_int_eq(evy_pthread_rwlock_tryrdlock(&rwlock), EBUSY);
    ck_assert_int_eq(evy_pthread_rwlock_rdlock(&rwlock), EDEADLK);
    ck_assert_int_eq(evy_pthread_rwlock_wrlock(&rwlock), EDEADLK);
}

START_TEST(rwlock_excludes)
{
    check_rwlock(_i);
}
END_TEST

START_TEST(rwlock_preferring_writers_excludes)
{
    rwlock = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    check_rwlock(_i);
}
END_TEST

static void *meet(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        atomic_fetch_add(&inits, 1);
        if (evy_pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            atomic_fetch_add(&serials, 1);
        ck_assert_uint_ge(inits, (i + 1) * WORKERS);
    }
    return arg;
}

START_TEST(barrier_holds_until_all_came)
{
    pthread_barrier_init(&barrier, NULL, WORKERS);
    run_workers(_i, meet);
    ck_assert_uint_eq(serials, ROUNDS);
    ck_assert_int_eq(evy_pthread_barrier_destroy(&barrier), 0);
}
END_TEST

static void *count_spinning(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        evy_pthread_spin_lock(&spinlock);
        unsigned seen = counter;
        dawdle(i);
        counter = seen + 1;
        evy_pthread_spin_unlock(&spinlock);
    }
    return arg;
}

START_TEST(spin_excludes)
{
    pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
    run_workers(_i, count_spinning);
    ck_assert_uint_eq(counter, WORKERS * ROUNDS);
    ck_assert_int_eq(pthread_spin_trylock(&spinlock), 0);
    ck_assert_int_eq(evy_pthread_spin_trylock(&spinlock), EBUSY);
}
END_TEST

START_TEST(mutex_agrees_with_glibc)
{
    pthread_mutex_t kinds[] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
                               PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP,
                               PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP};
    ck_assert_int_eq(tcb_discover(), 0);
    for (size_t i = 0; i < array_len(kinds); i++) {
        ck_assert_int_eq(evy_pthread_mutex_lock(&kinds[i]), 0);
        ck_assert_int_eq(evy_pthread_mutex_destroy(&kinds[i]), EBUSY);
        ck_assert_int_eq(pthread_mutex_unlock(&kinds[i]), 0);
        ck_assert_int_eq(pthread_mutex_lock(&kinds[i]), 0);
        ck_assert_int_eq(evy_pthread_mutex_unlock(&kinds[i]), 0);
        ck_assert_uint_eq(((struct mutex *)&kinds[i])->nusers, 0);
        ck_assert_int_eq(evy_pthread_mutex_destroy(&kinds[i]), 0);
        ck_assert_int_eq(evy_pthread_mutex_lock(&kinds[i]), EINVAL);
    }
}
END_TEST

START_TEST(mutex_kinds_answer)
{
    pthread_mutex_t r = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    pthread_mutex_t e = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    struct timespec past = {0, 0}, bad = {0, -1};
    ck_assert_int_eq(tcb_discover(), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(i % 2 ? evy_pthread_mutex_trylock(&r) : evy_pthread_mutex_lock(&r), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(evy_pthread_mutex_unlock(&r), 0);
    ck_assert_int_eq(evy_pthread_mutex_unlock(&r), EPERM);
    ck_assert_int_eq(evy_pthread_mutex_timedlock(&e, &bad), 0);
    ck_assert_int_eq(evy_pthread_mutex_lock(&e), EDEADLK);
    ck_assert_int_eq(evy_pthread_mutex_trylock(&e), EBUSY);
    ck_assert_int_eq(evy_pthread_mutex_unlock(&e), 0);
    ck_assert_int_eq(evy_pthread_mutex_unlock(&e), EPERM);
    ck_assert_int_eq(evy_pthread_cond_wait(&cond, &e), EPERM);
    evy_pthread_mutex_lock(&mutex);
    ck_assert_int_eq(evy_pthread_mutex_timedlock(&mutex, &past), ETIMEDOUT);
    ck_assert_int_eq(evy_pthread_mutex_timedlock(&mutex, &bad), EINVAL);
    ck_assert_int_eq(evy_pthread_mutex_clocklock(&mutex, CLOCK_TAI, &past), EINVAL);
    ck_assert_int_eq(evy_pthread_cond_timedwait(&cond, &mutex, &past), ETIMEDOUT);
    ck_assert_int_eq(evy_pthread_cond_timedwait(&cond, &mutex, &bad), EINVAL);
    ck_assert_int_eq(((struct mutex *)&mutex)->nusers, 1);
}
END_TEST

START_TEST(sem_answers)
{
    struct timespec past = {-1, 0}, bad = {0, 1000000000};
    sem_init(&sem, 0, SEM_VALUE_MAX);
    ck_assert(evy_sem_post(&sem) == -1 && errno == EOVERFLOW);
    sem_init(&sem, 0, 0);
    ck_assert(evy_sem_trywait(&sem) == -1 && errno == EAGAIN);
    ck_assert(evy_sem_timedwait(&sem, &past) == -1 && errno == ETIMEDOUT);
    ck_assert(evy_sem_timedwait(&sem, &bad) == -1 && errno == EINVAL);
    ck_assert_int_eq(sem_post(&sem), 0);
    ck_assert_int_eq(evy_sem_wait(&sem), 0);
    ck_assert_uint_eq(((struct sem *)&sem)->data, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sync");
    TCase *tc = tcase_create("sync");
    tcase_set_timeout(tc, 60);
    /* with kernel threads, one hub, two hubs */
    tcase_add_loop_test(tc, mutex_excludes, 0, 3);
    tcase_add_loop_test(tc, cond_broadcast_wakes_the_right_one, 0, 3);
    tcase_add_loop_test(tc, cond_signal_is_never_lost, 0, 3);
    tcase_add_loop_test(tc, sem_excludes, 0, 3);
    tcase_add_loop_test(tc, shared_sem_excludes, 0, 3);
    tcase_add_loop_test(tc, once_runs_once, 0, 3);
    tcase_add_loop_test(tc, rwlock_excludes, 0, 3);
    tcase_add_loop_test(tc, rwlock_preferring_writers_excludes, 0, 3);
    tcase_add_loop_test(tc, barrier_holds_until_all_came, 0, 3);
    tcase_add_loop_test(tc, spin_excludes, 0, 3);
    if (!UNDER_TSAN) /* glibc's side of it is TSan's own, which knows no locks of ours */
        tcase_add_test(tc, mutex_agrees_with_glibc);
    tcase_add_test(tc, mutex_kinds_answer);
    tcase_add_test(tc, sem_answers);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
