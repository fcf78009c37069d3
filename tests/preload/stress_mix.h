// The parts of stress_mix.c that only lock and wait.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x) ((x) ? (void)0 : fail(#x, __LINE__))

static unsigned seed;

static _Noreturn void fail(const char *what, int line)
{
    printf("seed %u: line %d: %s: %s\n", seed, line, what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

enum { CELLS = 6, ROOM = 3 };

static atomic_bool stop;

static unsigned pick(unsigned *state, unsigned n)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % n;
}

static struct timespec soon(unsigned *state)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_nsec += (long)pick(state, 2000) * 1000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

static void dawdle(unsigned *state)
{
    unsigned what = pick(state, 8);
    if (what == 0)
        usleep(pick(state, 300));
    else if (what < 4)
        sched_yield();
}

// Mutexes of every kind, taken in order: what one cell loses the other gains.

static struct {
    pthread_mutex_t m;
    long value, shadow; // always the same while unlocked
} cells[CELLS];

static void cells_init(void)
{
    static const int kinds[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE,
                                PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP};
    pthread_mutexattr_t attr;
    CHECK(pthread_mutexattr_init(&attr) == 0);
    for (int i = 0; i < CELLS; i++) {
        CHECK(pthread_mutexattr_settype(&attr, kinds[i % 4]) == 0);
        CHECK(pthread_mutex_init(&cells[i].m, &attr) == 0);
    }
}

static bool lock_somehow(pthread_mutex_t *m, unsigned *state)
{
    struct timespec at = soon(state);
    int err = 0;
    switch (pick(state, 4)) {
    case 0:
        err = pthread_mutex_trylock(m);
        CHECK(err == 0 || err == EBUSY);
        break;
    case 1:
        err = pthread_mutex_timedlock(m, &at);
        CHECK(err == 0 || err == ETIMEDOUT);
        break;
    default:
        CHECK(pthread_mutex_lock(m) == 0);
    }
    return err == 0;
}

static void transfer(unsigned *state)
{
    unsigned i = pick(state, CELLS - 1), j = i + 1 + pick(state, CELLS - 1 - i);
    if (!lock_somehow(&cells[i].m, state))
        return;
    if (lock_somehow(&cells[j].m, state)) {
        CHECK(cells[i].value == cells[i].shadow && cells[j].value == cells[j].shadow);
        cells[i].value--;
        cells[j].value++;
        dawdle(state);
        cells[i].shadow--;
        cells[j].shadow++;
        CHECK(pthread_mutex_unlock(&cells[j].m) == 0);
    }
    CHECK(pthread_mutex_unlock(&cells[i].m) == 0);
}

// A read-write lock over two numbers that differ only while it is held for writing.

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static volatile long left, right;

static void read_or_write(unsigned *state)
{
    struct timespec at = soon(state);
    bool write = pick(state, 3) == 0, timed = pick(state, 3) == 0;
    int err;
    if (write)
        err = timed ? pthread_rwlock_timedwrlock(&rw, &at) : pthread_rwlock_wrlock(&rw);
    else
        err = timed ? pthread_rwlock_timedrdlock(&rw, &at) : pthread_rwlock_rdlock(&rw);
    CHECK(err == 0 || (timed && err == ETIMEDOUT));
    if (err)
        return;
    CHECK(left == right);
    if (write)
        left++;
    dawdle(state);
    if (write)
        right++;
    CHECK(left == right);
    CHECK(pthread_rwlock_unlock(&rw) == 0);
}

// A semaphore: never more inside than it has room for.

static sem_t room;
static atomic_int inside;

static void enter_room(unsigned *state)
{
    struct timespec at = soon(state);
    unsigned how = pick(state, 3);
    int r = how == 0 ? sem_trywait(&room) : how == 1 ? sem_timedwait(&room, &at) : sem_wait(&room);
    CHECK(r == 0 || (how == 0 && errno == EAGAIN) || (how == 1 && errno == ETIMEDOUT));
    if (r)
        return;
    CHECK(atomic_fetch_add(&inside, 1) < ROOM);
    dawdle(state);
    atomic_fetch_sub(&inside, 1);
    CHECK(sem_post(&room) == 0);
}

// Tokens: none is lost, none is taken twice.

static pthread_mutex_t box = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static long tokens, made, taken;

static void make_token(void)
{
    CHECK(pthread_mutex_lock(&box) == 0);
    tokens++;
    made++;
    CHECK(pthread_cond_signal(&filled) == 0);
    CHECK(pthread_mutex_unlock(&box) == 0);
}

static void take_token(unsigned *state)
{
    struct timespec at = soon(state);
    int err = 0;
    CHECK(pthread_mutex_lock(&box) == 0);
    while (tokens == 0 && err == 0)
        err = pthread_cond_timedwait(&filled, &box, &at);
    CHECK(err == 0 || err == ETIMEDOUT);
    if (tokens > 0) {
        tokens--;
        taken++;
    }
    CHECK(pthread_mutex_unlock(&box) == 0);
}
