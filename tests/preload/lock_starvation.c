// methods
// Proves: who waits for a lock gets it although its owner takes it again at once each time and lets others run only
// while it has it: mutexes of every kind, semaphores, rwlocks, a futex lock, a stream's lock, a byte in a pipe, an eventfd.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "check.h"

static const double MOST = 10; // seconds

static pthread_mutex_t mutex;
static sem_t sem;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_uint word;
static FILE *file;
static int token[2]; /* a pipe's ends, or an eventfd twice: who has read it has the lock */
static atomic_int stop;

static void mutex_lock(void)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
}

static void mutex_unlock(void)
{
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

static void sem_lock(void)
{
    CHECK(sem_wait(&sem) == 0);
}

static void sem_unlock(void)
{
    CHECK(sem_post(&sem) == 0);
}

static void write_lock(void)
{
    CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
}

static void read_lock(void)
{
    CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
}

static void rw_unlock(void)
{
    CHECK(pthread_rwlock_unlock(&rwlock) == 0);
}

/* 0 free, 1 held, 2 held and awaited: as Rust's and other runtimes' locks are made. */
static void futex_lock(void)
{
    unsigned old = 0;
    if (atomic_compare_exchange_strong(&word, &old, 1))
        return;
    while (atomic_exchange(&word, 2) != 0)
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static void futex_unlock(void)
{
    if (atomic_exchange(&word, 0) == 2)
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void file_lock(void)
{
    flockfile(file);
}

static void file_unlock(void)
{
    funlockfile(file);
}

static void token_lock(void)
{
    char byte[8];
    CHECK(read(token[0], byte, sizeof byte) > 0);
}

static void token_unlock(void)
{
    static const uint64_t one = 1;
    CHECK(write(token[1], &one, sizeof one) == sizeof one);
}

struct lock {
    const char *name;
    void (*lock)(void), (*other_lock)(void), (*unlock)(void);
};

static void work_for(double seconds)
{
    double end = now() + seconds;
    while (now() < end)
        ;
}

static void *hog(void *arg)
{
    const struct lock *l = arg;
    while (!atomic_load(&stop)) {
        l->lock();
        sched_yield();
        l->unlock();
        work_for(0.0001);
    }
    return NULL;
}

static void try(struct lock l)
{
    atomic_store(&stop, 0);
    pthread_t t = spawn(hog, &l);
    usleep(3000);
    double start = now();
    for (int i = 0; i < 5; i++) {
        l.other_lock();
        CHECK(now() < start + MOST);
        l.unlock();
    }
    atomic_store(&stop, 1);
    CHECK(pthread_join(t, NULL) == 0);
    printf("%s: got it\n", l.name);
}

static void try_mutex(const char *name, int type, int robust, int protocol)
{
    pthread_mutexattr_t a;
    CHECK(pthread_mutexattr_init(&a) == 0 && pthread_mutexattr_settype(&a, type) == 0);
    CHECK(pthread_mutexattr_setrobust(&a, robust) == 0 &&
          pthread_mutexattr_setprotocol(&a, protocol) == 0);
    CHECK(pthread_mutex_init(&mutex, &a) == 0);
    try((struct lock){name, mutex_lock, mutex_lock, mutex_unlock});
    CHECK(pthread_mutex_destroy(&mutex) == 0);
}

static void try_token(const char *name)
{
    token_unlock();
    try((struct lock){name, token_lock, token_lock, token_unlock});
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK((file = tmpfile()) && sem_init(&sem, 0, 1) == 0);
    try_mutex("mutex", PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
    try_mutex("recursive mutex", PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
    try_mutex("robust mutex", PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
    try_mutex("inheriting mutex", PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED,
              PTHREAD_PRIO_INHERIT);
    try((struct lock){"semaphore", sem_lock, sem_lock, sem_unlock});
    try((struct lock){"rwlock, writers", write_lock, write_lock, rw_unlock});
    try((struct lock){"rwlock, reader against writer", write_lock, read_lock, rw_unlock});
    try((struct lock){"rwlock, writer against reader", read_lock, write_lock, rw_unlock});
    try((struct lock){"futex", futex_lock, futex_lock, futex_unlock});
    try((struct lock){"stream", file_lock, file_lock, file_unlock});
    CHECK(pipe(token) == 0);
    try_token("pipe");
    CHECK((token[0] = token[1] = eventfd(0, 0)) >= 0);
    try_token("eventfd");
    return 0;
}
