// Proves: FUTEX_LOCK_PI and its relatives by number, on words that hold what gettid tells: they exclude, time out on
// both clocks, hand a word on from an owner that ends, requeue from a plain word, and answer as natively; between processes
// in main.
#define _GNU_SOURCE
#include "check.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

enum { THREADS = 8, TURNS = 100 };

static atomic_uint word, other, inside, requeued;
static int counter;

static long futex(atomic_uint *w, int op, unsigned value, const void *third, atomic_uint *w2,
                  unsigned expected)
{
    return syscall(SYS_futex, w, op, value, third, w2, expected);
}

static long pi(atomic_uint *w, int op, const struct timespec *at)
{
    return futex(w, op | FUTEX_PRIVATE_FLAG, 0, at, NULL, 0);
}

#define SHOW(x)                                                                                    \
    do {                                                                                           \
        long r_ = (x);                                                                             \
        printf("%s: %s\n", #x, r_ < 0 ? strerrorname_np(errno) : "ok");                            \
    } while (0)

// As glibc's PI mutexes: the kernel is asked only when there are two.
static void lock(atomic_uint *w, int flag)
{
    unsigned none = 0, me = (unsigned)gettid();
    if (!atomic_compare_exchange_strong(w, &none, me))
        CHECK(futex(w, FUTEX_LOCK_PI | flag, 0, NULL, NULL, 0) == 0);
    CHECK((*w & FUTEX_TID_MASK) == me);
}

static void unlock(atomic_uint *w, int flag)
{
    unsigned me = (unsigned)gettid();
    if (!atomic_compare_exchange_strong(w, &me, 0))
        CHECK(futex(w, FUTEX_UNLOCK_PI | flag, 0, NULL, NULL, 0) == 0);
}

static void *counts(void *arg)
{
    for (int i = 0; i < TURNS; i++) {
        lock(&word, FUTEX_PRIVATE_FLAG);
        int seen = counter;
        i % 10 ? sched_yield() : usleep(20);
        counter = seen + 1;
        unlock(&word, FUTEX_PRIVATE_FLAG);
    }
    return arg;
}

static void *on_held(void *arg)
{
    struct timespec past = {1, 0}, bad = {1, -1}, wall = ms_from_now(CLOCK_REALTIME, 30);
    double start = now();
    SHOW(pi(&word, FUTEX_TRYLOCK_PI, NULL));
    SHOW(pi(&word, FUTEX_UNLOCK_PI, NULL));
    SHOW(pi(&word, FUTEX_LOCK_PI, &past));
    SHOW(pi(&word, FUTEX_LOCK_PI, &bad));
    SHOW(pi(&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, &past));
    SHOW(pi(&word, FUTEX_LOCK_PI, &wall));
    CHECK(now() - start >= 0.029);
    wall = ms_from_now(CLOCK_REALTIME, 30);
    SHOW(pi(&word, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, &wall));
    struct timespec at = ms_from_now(CLOCK_MONOTONIC, 30);
    SHOW(pi(&word, FUTEX_LOCK_PI2, &at));
    CHECK(now() - start >= 0.089 && now() - start < 10);
    return arg;
}

static void *answers(void *arg)
{
    struct timespec past = {1, 0};
    SHOW(pi(&word, FUTEX_UNLOCK_PI, NULL));
    SHOW(pi(&word, FUTEX_LOCK_PI, &past)); // free: the time does not count
    CHECK((word & FUTEX_TID_MASK) == (unsigned)gettid());
    SHOW(pi(&word, FUTEX_TRYLOCK_PI, NULL));
    SHOW(pi(&word, FUTEX_LOCK_PI, NULL));
    CHECK(pthread_join(spawn(on_held, NULL), NULL) == 0);
    SHOW(pi(&word, FUTEX_UNLOCK_PI, NULL));
    CHECK(word == 0);
    word = FUTEX_TID_MASK; // nobody's
    SHOW(pi(&word, FUTEX_LOCK_PI, NULL));
    SHOW(pi(&word, FUTEX_TRYLOCK_PI, NULL));
    word = 0;
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 2, (void *)1, &other, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, (void *)1, &other, 7));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, (void *)1, &word, 0));
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, NULL, &other, 0));
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 0, NULL, &word, 0));
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 0, &past, &other, 0));
    return arg;
}

static void *ends_with_it(void *arg)
{
    lock(&word, FUTEX_PRIVATE_FLAG);
    inside = 1;
    while (!(word & FUTEX_WAITERS))
        usleep(1000);
    return arg;
}

static void owner_ends(void)
{
    pthread_t t = spawn(ends_with_it, NULL);
    while (!inside)
        usleep(1000);
    CHECK(pi(&word, FUTEX_LOCK_PI, NULL) == 0);
    CHECK((word & FUTEX_TID_MASK) == (unsigned)gettid() && word & FUTEX_OWNER_DIED);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(pi(&word, FUTEX_UNLOCK_PI, NULL) == 0 && (word & FUTEX_TID_MASK) == 0);
    word = 0;
}

static void *waits_then_has(void *arg)
{
    atomic_uint *plain = arg;
    inside++;
    CHECK(futex(plain, FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 0, NULL, &other, 0) == 0);
    CHECK((other & FUTEX_TID_MASK) == (unsigned)gettid());
    counter++;
    usleep(1000);
    unlock(&other, FUTEX_PRIVATE_FLAG);
    return NULL;
}

// What condition variables with PI mutexes were made of.
static void requeue(void)
{
    pthread_t t[THREADS];
    long n = 0;
    inside = counter = 0;
    lock(&other, FUTEX_PRIVATE_FLAG);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(waits_then_has, &requeued);
    while (inside < THREADS)
        usleep(1000);
    while (n < THREADS) {
        long more = futex(&requeued, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, (void *)THREADS,
                          &other, 0);
        CHECK(more >= 0);
        n += more;
        usleep(1000);
    }
    CHECK(n == THREADS && counter == 0);
    unlock(&other, FUTEX_PRIVATE_FLAG);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(counter == THREADS && other == 0);
}

static void *returns(void *arg)
{
    return arg;
}

static void between_processes(void)
{
    struct {
        atomic_uint word;
        int counter;
    } *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    CHECK(shared != MAP_FAILED);
    pid_t pid = fork();
    CHECK(pthread_join(spawn(returns, NULL), NULL) == 0);
    for (int i = 0; i < TURNS; i++) {
        lock(&shared->word, 0);
        int seen = shared->counter;
        usleep(20);
        shared->counter = seen + 1;
        unlock(&shared->word, 0);
    }
    if (pid == 0)
        _exit(0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    printf("in two processes %d\n", shared->counter);
}

int main(void)
{
    pthread_t t[THREADS];
    answers(NULL);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(counts, NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("in %d threads %d\n", THREADS, counter);
    CHECK(pthread_join(spawn(answers, NULL), NULL) == 0);
    owner_ends();
    requeue();
    between_processes();
    return 0;
}
