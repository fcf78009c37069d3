/* Everything at once on two hubs: what cooperative and free green threads, kernel threads and the loops do to the same
   objects adds up. With SAN=thread it is what ThreadSanitizer watches the runtime under. */
#include "evy_case.h"

#include "base/clock.h"
#include "io/calls.h"
#include "sync/sync.h"
#include "sync/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

enum { GREENS = 6, THREADS = 6, KERNEL = 2, TURNS = 200, HOG_MS = 15 };
enum { PUT, GOT, JOBS, CALLS, TIMED, HOGS, ECHOES, KINDS };

static atomic_uint done[KINDS];
static atomic_bool stop;
static evy_queue *queue;
static evy_sem *sem;
static evy_hub *hub;
static atomic_uint holders; /* of sem, which has two permits */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static unsigned guarded, copies[2]; /* mutex; rwlock: always equal */

static void puts_item(void)
{
    ck_assert_int_eq(evy_queue_put(queue, &queue, EVY_FOREVER), 0);
    done[PUT]++;
}

static void locks(void)
{
    ck_assert_int_eq(evy_pthread_mutex_lock(&mutex), 0);
    guarded++;
    evy_pthread_cond_signal(&changed);
    ck_assert_int_eq(evy_pthread_mutex_unlock(&mutex), 0);
    evy_pthread_rwlock_wrlock(&rwlock);
    copies[0]++;
    copies[1]++;
    evy_pthread_rwlock_unlock(&rwlock);
    evy_pthread_rwlock_rdlock(&rwlock);
    ck_assert_uint_eq(copies[0], copies[1]);
    evy_pthread_rwlock_unlock(&rwlock);
}

static void shares(void)
{
    ck_assert_int_eq(evy_sem_acquire(sem, EVY_FOREVER), 0);
    ck_assert_uint_le(atomic_fetch_add(&holders, 1), 1);
    evy_sleep(0);
    atomic_fetch_sub(&holders, 1);
    ck_assert_int_eq(evy_sem_release(sem), 0);
}

static void *takes_items(void *arg)
{
    void *item;
    while (!stop || done[GOT] != done[PUT]) {
        if (evy_queue_get(queue, &item, 0.002) == 0)
            done[GOT]++;
        else
            ck_assert_int_eq(errno, ETIMEDOUT);
    }
    return arg;
}

static void *job(void *arg)
{
    done[JOBS]++;
    return arg;
}

static void *works(void *arg)
{
    for (int i = 0; i < TURNS; i++) {
        void *result = NULL;
        puts_item();
        locks();
        shares();
        if (i % 20 == 0)
            ck_assert(evy_blocking(job, arg, &result) == 0 && result == arg);
        if (i % 10 == 0)
            done[TIMED] += evy_sem_acquire(sem, 0.0005) == 0 ? evy_sem_release(sem) == 0 : 1;
    }
    return arg;
}

/* Loses its hub each time. */
static void *hogs(void *arg)
{
    for (; !stop; evy_sleep(0.005)) {
        for (int64_t end = clock_now() + HOG_MS * 1000000; clock_now() < end;)
            ;
        locks();
        done[HOGS]++;
    }
    return arg;
}

static void *waits_for_change(void *arg)
{
    evy_pthread_mutex_lock(&mutex);
    for (unsigned seen = guarded; !stop; seen = guarded)
        while (guarded == seen && !stop)
            evy_pthread_cond_wait(&changed, &mutex);
    evy_pthread_mutex_unlock(&mutex);
    return arg;
}

static void *serves(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char c;
    while (evy_recv(fd, &c, 1, 0) == 1)
        ck_assert_int_eq(evy_send(fd, &c, 1, 0), 1);
    evy_close(fd);
    return arg;
}

static void *asks(void *arg)
{
    int fd = (int)(intptr_t)arg;
    for (char c = 0, d; !stop; c++, done[ECHOES]++)
        ck_assert(evy_send(fd, &c, 1, 0) == 1 && evy_recv(fd, &d, 1, 0) == 1 && c == d);
    evy_close(fd);
    return arg;
}

static void *sleeps_for_ever(void *arg)
{
    ck_assert_fails(evy_sleep(EVY_FOREVER), ECANCELED);
    return arg;
}

/* Is killed while it waits; a timeout hits the next wait. */
static void *kills(void *arg)
{
    while (!stop) {
        evy_gt *g = evy_spawn(sleeps_for_ever, arg);
        evy_timeout t;
        evy_sleep(0);
        ck_assert_int_eq(evy_kill(g, 0), 0);
        ck_assert(evy_gt_wait(g, NULL) == 0 || errno == ECANCELED); /* it may not have begun */
        evy_gt_unref(g);
        evy_timeout_start(&t, 0.0005, 0);
        ck_assert_fails(evy_sleep(EVY_FOREVER), ETIMEDOUT);
        evy_timeout_cancel(&t);
    }
    return arg;
}

static void called(void *arg)
{
    (*(atomic_uint *)arg)++;
}

static void *calls_from_outside(void *arg)
{
    for (int i = 0; i < TURNS; i++) {
        ck_assert_int_eq(evy_call_soon(hub, called, &done[CALLS]), 0);
        locks();
        if (evy_queue_tryput(queue, &queue) == 0)
            done[PUT]++;
        else
            ck_assert_int_eq(errno, EAGAIN);
    }
    return arg;
}

START_TEST(all_adds_up)
{
    evy_gt *light[GREENS], *others[2];
    pthread_t thread[THREADS], kernel[KERNEL], stuck[2], peers[4], getter, waiter;
    int fds[4];
    hub = evy_hub_get();
    queue = evy_queue_new(8, EVY_Q_FIFO);
    sem = evy_sem_new(2);
    for (intptr_t i = 0; i < 4; i += 2) {
        ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds + i), 0);
        evy_pthread_create(&peers[i], NULL, serves, (void *)(intptr_t)fds[i]);
        evy_pthread_create(&peers[i + 1], NULL, asks, (void *)(intptr_t)fds[i + 1]);
    }
    evy_pthread_create(&getter, NULL, takes_items, NULL);
    evy_pthread_create(&waiter, NULL, waits_for_change, NULL);
    for (intptr_t i = 0; i < THREADS; i++)
        evy_pthread_create(&thread[i], NULL, works, (void *)i);
    for (int i = 0; i < 2; i++)
        evy_pthread_create(&stuck[i], NULL, hogs, NULL);
    for (int i = 0; i < KERNEL; i++)
        pthread_create(&kernel[i], NULL, calls_from_outside, NULL);
    for (intptr_t i = 0; i < GREENS; i++)
        light[i] = evy_spawn(works, (void *)i);
    others[0] = evy_spawn(kills, NULL);
    others[1] = evy_spawn(takes_items, NULL);
    for (intptr_t i = 0; i < GREENS; i++) {
        void *result;
        ck_assert(evy_gt_wait(light[i], &result) == 0 && result == (void *)i);
        evy_gt_unref(light[i]);
    }
    for (intptr_t i = 0; i < THREADS; i++) {
        void *result;
        ck_assert(evy_pthread_join(thread[i], &result) == 0 && result == (void *)i);
    }
    while (done[CALLS] < KERNEL * TURNS)
        evy_sleep(0.001);
    for (int i = 0; i < KERNEL; i++)
        pthread_join(kernel[i], NULL);
    evy_pthread_mutex_lock(&mutex);
    stop = true;
    evy_pthread_cond_broadcast(&changed);
    evy_pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(evy_gt_wait(others[i], NULL), 0);
        evy_gt_unref(others[i]);
        evy_pthread_join(stuck[i], NULL);
    }
    for (int i = 0; i < 4; i++)
        evy_pthread_join(peers[i], NULL);
    evy_pthread_join(getter, NULL);
    evy_pthread_join(waiter, NULL);
    const unsigned workers = GREENS + THREADS;
    ck_assert_uint_eq(done[PUT], done[GOT]);
    ck_assert_uint_eq(done[JOBS], workers * TURNS / 20);
    ck_assert_uint_eq(done[TIMED], workers * TURNS / 10);
    ck_assert_uint_eq(guarded, workers * TURNS + KERNEL * TURNS + done[HOGS]);
    ck_assert_uint_eq(copies[0], guarded);
    ck_assert(done[ECHOES] > 0 && done[HOGS] > 0);
    evy_counts counts;
    evy_hub_counts(&counts);
    ck_assert_uint_eq(counts.hubs, 2);
    ck_assert_uint_gt(counts.hand_offs, 0);
    evy_queue_free(queue);
    evy_sem_free(sem);
}
END_TEST

int main(void)
{
    setenv("EVY_HUBS", "2", 1);
    Suite *s = suite_create("mixed");
    TCase *tc = tcase_create("two hubs");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, case_begins, case_ends);
    tcase_add_test(tc, all_adds_up);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
