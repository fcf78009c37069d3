// flags: -lcheck -lsubunit -lm
// env: EVY_HUBS=2
// Proves: what was locked, waited for, counted or begun by main and by a kernel thread before the thread subset was
// patched goes on correctly between both and green threads afterwards.
#define _GNU_SOURCE
#include "../suite.h"

#include <errno.h>
#include <evy.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define ZERO(call) ck_assert_int_eq((call), 0)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static sem_t sem, go;
static atomic_int waiting, served, word;

/* It will be in its wait soon. */
static void await(int n)
{
    while (waiting < n)
        usleep(1000);
    usleep(20000);
}

static pthread_t start(void *(*body)(void *), void *arg)
{
    pthread_t t;
    ZERO(pthread_create(&t, NULL, body, arg));
    return t;
}

static void patch(void)
{
    ZERO(evy_monkey_patch(EVY_PATCH_THREAD));
    ck_assert(evy_is_monkey_patched("thread"));
}

/* Ids of green threads are none that the kernel gives. */
static void *is_green(void *arg)
{
    return gettid() > 1 << 22 ? arg : NULL;
}

/* Runs body in a thread made now: a green one. */
static void by_green(void *(*body)(void *), void *arg)
{
    void *result;
    pthread_t t = start(is_green, &word);
    ZERO(pthread_join(t, &result));
    ck_assert_ptr_eq(result, &word);
    ZERO(pthread_join(start(body, arg), NULL));
}

static void join(pthread_t t)
{
    ZERO(pthread_join(t, NULL));
}

/* Mutexes. */

static void *locks(void *arg)
{
    pthread_mutex_t *m = arg;
    waiting++;
    ZERO(pthread_mutex_lock(m));
    served++;
    ZERO(pthread_mutex_unlock(m));
    return NULL;
}

static void *holds(void *unused)
{
    ZERO(pthread_mutex_lock(&held));
    waiting++;
    ZERO(sem_wait(&go));
    ZERO(pthread_mutex_unlock(&held));
    return unused;
}

static const struct {
    int type, robust, protocol;
} kinds[] = {
    {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE},
    {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE},
    {PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE},
    {PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE},
    {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE},
    {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE},
    {PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT},
    {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT},
};

static void init_kind(pthread_mutex_t *m, int i)
{
    pthread_mutexattr_t attr;
    ZERO(pthread_mutexattr_init(&attr));
    ZERO(pthread_mutexattr_settype(&attr, kinds[i].type));
    ZERO(pthread_mutexattr_setrobust(&attr, kinds[i].robust));
    ZERO(pthread_mutexattr_setprotocol(&attr, kinds[i].protocol));
    ZERO(pthread_mutex_init(m, &attr));
}

/* Held by main, once more where it may, and by a kernel thread; each is awaited by kernel threads. */
START_TEST(mutexes)
{
    init_kind(&mutex, _i);
    init_kind(&held, _i);
    int depth = kinds[_i].type == PTHREAD_MUTEX_RECURSIVE ? 3 : 1;
    for (int i = 0; i < depth; i++)
        ZERO(pthread_mutex_lock(&mutex));
    pthread_t keeper = start(holds, NULL), k[4];
    await(1);
    for (int i = 0; i < 4; i++)
        k[i] = start(locks, i % 2 ? &mutex : &held);
    await(5);
    patch();
    pthread_t green[2] = {start(locks, &mutex), start(locks, &held)};
    await(7);
    ck_assert_int_eq(served, 0);
    ck_assert_int_eq(pthread_mutex_trylock(&held), EBUSY);
    if (kinds[_i].type == PTHREAD_MUTEX_ERRORCHECK) {
        ck_assert_int_eq(pthread_mutex_lock(&mutex), EDEADLK);
        ck_assert_int_eq(pthread_mutex_unlock(&held), EPERM);
    }
    for (int i = 0; i < depth; i++)
        ZERO(pthread_mutex_unlock(&mutex));
    while (served < 3)
        usleep(1000);
    ZERO(sem_post(&go));
    for (int i = 0; i < 4; i++)
        join(k[i]);
    join(green[0]);
    join(green[1]);
    join(keeper);
    ck_assert_int_eq(served, 6);
    ZERO(pthread_mutex_trylock(&mutex));
    ZERO(pthread_mutex_unlock(&mutex));
    ZERO(pthread_mutex_destroy(&mutex));
}
END_TEST

/* Reader-writer locks. */

static void *reads(void *unused)
{
    waiting++;
    ZERO(pthread_rwlock_rdlock(&rwlock));
    served++;
    ZERO(pthread_rwlock_unlock(&rwlock));
    return unused;
}

static void *writes(void *unused)
{
    waiting++;
    ZERO(pthread_rwlock_wrlock(&rwlock));
    served++;
    ZERO(pthread_rwlock_unlock(&rwlock));
    return unused;
}

static void *keeps_read(void *unused)
{
    ZERO(pthread_rwlock_rdlock(&rwlock));
    waiting++;
    ZERO(sem_wait(&go));
    ZERO(pthread_rwlock_unlock(&rwlock));
    return unused;
}

START_TEST(write_locked)
{
    ZERO(pthread_rwlock_wrlock(&rwlock));
    pthread_t r = start(reads, NULL), w = start(writes, NULL);
    await(2);
    patch();
    ck_assert_int_eq(pthread_rwlock_trywrlock(&rwlock), EBUSY);
    ck_assert_int_eq(pthread_rwlock_rdlock(&rwlock), EDEADLK);
    ck_assert_int_eq(served, 0);
    ZERO(pthread_rwlock_unlock(&rwlock));
    join(r);
    join(w);
    by_green(writes, NULL);
    ZERO(pthread_rwlock_trywrlock(&rwlock));
    ZERO(pthread_rwlock_unlock(&rwlock));
}
END_TEST

START_TEST(read_locked)
{
    ZERO(pthread_rwlock_rdlock(&rwlock));
    pthread_t keeper = start(keeps_read, NULL);
    await(1);
    pthread_t w = start(writes, NULL);
    await(2);
    patch();
    ck_assert_int_eq(pthread_rwlock_trywrlock(&rwlock), EBUSY);
    by_green(reads, NULL);
    ck_assert_int_eq(served, 1);
    ZERO(pthread_rwlock_unlock(&rwlock));
    ck_assert_int_eq(pthread_rwlock_trywrlock(&rwlock), EBUSY);
    ZERO(sem_post(&go));
    join(keeper);
    join(w);
    ZERO(pthread_rwlock_trywrlock(&rwlock));
    ZERO(pthread_rwlock_unlock(&rwlock));
}
END_TEST

/* Conditions. */

static void *waits(void *timed)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += 60;
    ZERO(pthread_mutex_lock(&mutex));
    waiting++;
    ZERO(timed ? pthread_cond_timedwait(&cond, &mutex, &at) : pthread_cond_wait(&cond, &mutex));
    served++;
    ZERO(pthread_mutex_unlock(&mutex));
    return NULL;
}

static void *signals(void *unused)
{
    ZERO(pthread_mutex_lock(&mutex));
    ZERO(pthread_cond_signal(&cond));
    ZERO(pthread_mutex_unlock(&mutex));
    return unused;
}

START_TEST(conditions)
{
    pthread_t k[6];
    for (int i = 0; i < 6; i++)
        k[i] = start(waits, i % 2 ? &cond : NULL);
    await(6);
    patch();
    by_green(signals, NULL);
    while (served < 1)
        usleep(1000);
    signals(NULL);
    while (served < 2)
        usleep(1000);
    pthread_t green = start(waits, NULL);
    await(7);
    ck_assert_int_eq(served, 2);
    ZERO(pthread_cond_broadcast(&cond));
    for (int i = 0; i < 6; i++)
        join(k[i]);
    join(green);
    ZERO(pthread_cond_destroy(&cond));
}
END_TEST

static void *c11_waits(void *mtx)
{
    ck_assert_int_eq(mtx_lock(mtx), thrd_success);
    waiting++;
    ck_assert_int_eq(cnd_wait((cnd_t *)&cond, mtx), thrd_success);
    ck_assert_int_eq(mtx_unlock(mtx), thrd_success);
    return NULL;
}

START_TEST(c11)
{
    mtx_t mtx;
    ck_assert_int_eq(mtx_init(&mtx, mtx_plain), thrd_success);
    pthread_t k = start(c11_waits, &mtx);
    await(1);
    ck_assert_int_eq(mtx_lock(&mtx), thrd_success);
    patch();
    ck_assert_int_eq(cnd_signal((cnd_t *)&cond), thrd_success);
    ck_assert_int_eq(mtx_unlock(&mtx), thrd_success);
    join(k);
}
END_TEST

/* The rest. */

static void *takes(void *unused)
{
    waiting++;
    ZERO(sem_wait(&sem));
    return unused;
}

static void *posts(void *unused)
{
    ZERO(sem_post(&sem));
    return unused;
}

START_TEST(semaphores)
{
    pthread_t k[3] = {start(takes, NULL), start(takes, NULL), start(takes, NULL)};
    await(3);
    patch();
    pthread_t green = start(takes, NULL);
    await(4);
    by_green(posts, NULL);
    for (int i = 0; i < 3; i++)
        posts(NULL);
    for (int i = 0; i < 3; i++)
        join(k[i]);
    join(green);
    ck_assert(sem_trywait(&sem) == -1 && errno == EAGAIN);
}
END_TEST

static void initialises(void)
{
    waiting++;
    ZERO(sem_wait(&go));
    served++;
}

static void *runs_once(void *unused)
{
    ZERO(pthread_once(&once, initialises));
    ck_assert_int_eq(served, 1);
    return unused;
}

START_TEST(once_in_progress)
{
    pthread_t k = start(runs_once, NULL), other = start(runs_once, NULL);
    await(1);
    patch();
    pthread_t green = start(runs_once, NULL);
    usleep(20000);
    ZERO(sem_post(&go));
    runs_once(NULL);
    join(k);
    join(other);
    join(green);
}
END_TEST

static void *arrives(void *unused)
{
    waiting++;
    int r = pthread_barrier_wait(&barrier);
    ck_assert(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
    served++;
    return unused;
}

/* Two rounds before, one that has begun. */
START_TEST(barriers)
{
    ZERO(pthread_barrier_init(&barrier, NULL, 3));
    pthread_t k[8];
    for (int i = 0; i < 6; i++)
        k[i] = start(arrives, NULL);
    for (int i = 0; i < 6; i++)
        join(k[i]);
    k[6] = start(arrives, NULL);
    await(7);
    patch();
    k[7] = start(arrives, NULL);
    await(8);
    ck_assert_int_eq(served, 6);
    arrives(NULL);
    join(k[6]);
    join(k[7]);
    ZERO(pthread_barrier_destroy(&barrier));
}
END_TEST

static void *keeps_spin(void *unused)
{
    ZERO(pthread_spin_lock(&spin));
    waiting++;
    ZERO(sem_wait(&go));
    ZERO(pthread_spin_unlock(&spin));
    return unused;
}

START_TEST(spins)
{
    ZERO(pthread_spin_init(&spin, 0));
    pthread_t k = start(keeps_spin, NULL);
    await(1);
    patch();
    ck_assert_int_eq(pthread_spin_trylock(&spin), EBUSY);
    ZERO(sem_post(&go));
    ZERO(pthread_spin_lock(&spin));
    ZERO(pthread_spin_unlock(&spin));
    join(k);
}
END_TEST

static void *futex_waits(void *unused)
{
    waiting++;
    ZERO(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
    return unused;
}

START_TEST(futexes)
{
    pthread_t k = start(futex_waits, NULL);
    await(1);
    patch();
    ck_assert_int_eq(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
    join(k);
}
END_TEST

/* A kernel thread's waits are cancellation points; it has the mutex when it unwinds, and a permit is not lost. */
static void unlock(void *m)
{
    served++;
    ZERO(pthread_mutex_unlock(m));
}

static void *cancelled_wait(void *unused)
{
    ZERO(pthread_mutex_lock(&mutex));
    pthread_cleanup_push(unlock, &mutex);
    waiting++;
    for (;;)
        ZERO(pthread_cond_wait(&cond, &mutex));
    pthread_cleanup_pop(1);
    return unused;
}

static void *cancelled_take(void *unused)
{
    struct timespec at = {.tv_sec = time(NULL) + 60};
    waiting++;
    for (;;)
        sem_timedwait(&sem, &at);
    return unused;
}

static void cancel(pthread_t t)
{
    void *result;
    ZERO(pthread_cancel(t));
    ZERO(pthread_join(t, &result));
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
}

START_TEST(cancellation)
{
    pthread_t k[3] = {start(cancelled_wait, NULL), start(takes, NULL), start(cancelled_take, NULL)};
    await(3);
    if (_i)
        patch();
    for (int i = 0; i < 3; i++)
        cancel(k[i]);
    ck_assert_int_eq(served, 1);
    ZERO(pthread_mutex_trylock(&mutex));
    ZERO(sem_post(&sem));
    ZERO(sem_trywait(&sem));
    ZERO(pthread_mutex_destroy(&held));
}
END_TEST

/* A handler may post, in the middle of whatever main does to semaphores and conditions. */
static void post_often(int sig)
{
    (void)sig;
    sem_post(&sem);
}

START_TEST(handlers)
{
    struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    struct timespec begin, now;
    pthread_t k = start(cancelled_wait, NULL);
    await(1);
    ck_assert_ptr_ne((void *)signal(SIGALRM, post_often), (void *)SIG_ERR);
    ZERO(setitimer(ITIMER_REAL, &often, NULL));
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        ck_assert(sem_wait(&sem) == 0 || errno == EINTR);
        ZERO(pthread_cond_signal(&cond));
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < begin.tv_sec + 2);
    ZERO(setitimer(ITIMER_REAL, &never, NULL));
    cancel(k);
}
END_TEST

static void begins_anew(void)
{
    served = 7;
}

/* The child has none of those that wait, nor the one that initialises. */
START_TEST(forks)
{
    int status;
    pthread_t waits_too = start(cancelled_wait, NULL), k = start(runs_once, NULL);
    await(2);
    pid_t child = fork();
    if (child == 0) {
        signals(NULL);
        ZERO(pthread_cond_broadcast(&cond));
        ZERO(pthread_once(&once, begins_anew));
        patch();
        by_green(signals, NULL);
        _exit(served);
    }
    ck_assert(waitpid(child, &status, 0) == child && status == 7 << 8);
    ZERO(sem_post(&go));
    join(k);
    cancel(waits_too);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("patch_later");
    TCase *tc = tcase_create("patch_later");
    if (sem_init(&sem, 0, 0) || sem_init(&go, 0, 0))
        return EXIT_FAILURE;
    tcase_set_timeout(tc, 10);
    tcase_add_loop_test(tc, mutexes, 0, sizeof kinds / sizeof *kinds);
    tcase_add_test(tc, write_locked);
    tcase_add_test(tc, read_locked);
    tcase_add_test(tc, conditions);
    tcase_add_test(tc, c11);
    tcase_add_test(tc, semaphores);
    tcase_add_test(tc, once_in_progress);
    tcase_add_test(tc, barriers);
    tcase_add_test(tc, spins);
    tcase_add_test(tc, futexes);
    tcase_add_loop_test(tc, cancellation, 0, 2);
    tcase_add_test(tc, handlers);
    tcase_add_test(tc, forks);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
