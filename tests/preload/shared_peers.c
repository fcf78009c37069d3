// Proves: mutexes of every type, PI ones too, conditions, rwlocks, barriers and semaphores work between the
// threads of two processes, whether the other one runs under the same libraries or natively.
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
#include <unistd.h>

#include "check.h"

enum { THREADS = 4, LENDERS = 2, ROUNDS = 200, KINDS = 12, PI = 8 /* from there on */ };

struct shared {
    pthread_mutex_t mutex[KINDS], lock;
    int counter[KINDS];
    pthread_cond_t cond;
    int turn, turns;
    pthread_rwlock_t rw;
    int a, b;
    pthread_barrier_t barrier;
    int serial;
    sem_t ping, pong, permits;
    int inside;
};

static struct shared *s;

static void make_mutex(pthread_mutex_t *m, int type, int robust, int protocol)
{
    pthread_mutexattr_t a;
    CHECK(pthread_mutexattr_init(&a) == 0 && pthread_mutexattr_settype(&a, type) == 0);
    CHECK(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutexattr_setrobust(&a, robust ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED) ==
          0);
    CHECK(pthread_mutexattr_setprotocol(&a, protocol) == 0);
    CHECK(pthread_mutex_init(m, &a) == 0);
}

static void make(void)
{
    pthread_condattr_t c;
    pthread_rwlockattr_t r;
    pthread_barrierattr_t b;
    for (int i = 0; i < KINDS; i++)
        make_mutex(&s->mutex[i], i % 4, i / 4 == 1,
                   i < PI ? PTHREAD_PRIO_NONE : PTHREAD_PRIO_INHERIT);
    make_mutex(&s->lock, PTHREAD_MUTEX_ERRORCHECK, 0, PTHREAD_PRIO_NONE);
    CHECK(pthread_condattr_init(&c) == 0 &&
          pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_cond_init(&s->cond, &c) == 0);
    CHECK(pthread_rwlockattr_init(&r) == 0 &&
          pthread_rwlockattr_setpshared(&r, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_rwlock_init(&s->rw, &r) == 0);
    CHECK(pthread_barrierattr_init(&b) == 0 &&
          pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_barrier_init(&s->barrier, &b, 2 * THREADS) == 0);
    CHECK(sem_init(&s->ping, 1, 0) == 0 && sem_init(&s->pong, 1, 0) == 0 &&
          sem_init(&s->permits, 1, 3) == 0);
}

static void count_up(int i, int round)
{
    pthread_mutex_t *m = &s->mutex[i];
    int type = i % 4;
    CHECK(pthread_mutex_lock(m) == 0);
    if (type == PTHREAD_MUTEX_ERRORCHECK)
        CHECK(pthread_mutex_lock(m) == EDEADLK);
    if (type == PTHREAD_MUTEX_RECURSIVE)
        CHECK(pthread_mutex_lock(m) == 0 && pthread_mutex_trylock(m) == 0 &&
              pthread_mutex_unlock(m) == 0 && pthread_mutex_unlock(m) == 0);
    int seen = s->counter[i];
    if (round % 50 == 0)
        usleep(50);
    s->counter[i] = seen + 1;
    CHECK(pthread_mutex_unlock(m) == 0);
    if (type == PTHREAD_MUTEX_ERRORCHECK || i >= 4)
        CHECK(pthread_mutex_unlock(m) == EPERM);
}

static void use_rwlock(int round)
{
    if (round % 4 == 0) {
        CHECK(pthread_rwlock_wrlock(&s->rw) == 0);
        CHECK(pthread_rwlock_wrlock(&s->rw) == EDEADLK && pthread_rwlock_rdlock(&s->rw) == EDEADLK);
        s->a++;
        if (round % 40 == 0)
            usleep(20);
        s->b++;
    } else {
        CHECK(pthread_rwlock_rdlock(&s->rw) == 0);
        CHECK(s->a == s->b);
    }
    CHECK(pthread_rwlock_unlock(&s->rw) == 0);
}

static void use_semaphore(void)
{
    CHECK(sem_wait(&s->permits) == 0);
    CHECK(__atomic_add_fetch(&s->inside, 1, __ATOMIC_SEQ_CST) <= 3);
    usleep(10);
    __atomic_sub_fetch(&s->inside, 1, __ATOMIC_SEQ_CST);
    CHECK(sem_post(&s->permits) == 0);
}

// Any thread of a process moves the turn on when it is that process's.
static void take_turns(int me)
{
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    while (s->turns < 2 * ROUNDS) {
        if (s->turn == me) {
            s->turn = !me;
            s->turns++;
            CHECK(pthread_cond_broadcast(&s->cond) == 0);
        } else {
            CHECK(pthread_cond_wait(&s->cond, &s->lock) == 0);
        }
    }
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
}

static void *works(void *arg)
{
    int me = (int)(intptr_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < PI; k++)
            count_up(k, i);
        use_rwlock(i);
        if (i % 10 == 0)
            use_semaphore();
        if (i % 20 == 0 && pthread_barrier_wait(&s->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            s->serial++;
    }
    take_turns(me);
    return NULL;
}

/* Its own threads: a PI mutex may bind who uses it to a kernel thread. */
static void *lends(void *arg)
{
    struct timespec soon;
    for (int i = 0; i < ROUNDS; i++)
        for (int k = PI; k < KINDS; k++)
            count_up(k, i);
    for (int i = 0; i < ROUNDS; i++) {
        clockid_t clock = i % 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
        clock_gettime(clock, &soon);
        soon.tv_nsec += soon.tv_nsec < 900000000 ? 100000 : 0;
        int r = pthread_mutex_clocklock(&s->mutex[PI], clock, &soon);
        CHECK(r == 0 || r == ETIMEDOUT);
        if (r == 0) {
            usleep(20);
            CHECK(pthread_mutex_unlock(&s->mutex[PI]) == 0);
        }
    }
    return arg;
}

static void *plays(void *arg)
{
    int me = (int)(intptr_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(sem_wait(me ? &s->ping : &s->pong) == 0);
        CHECK(sem_post(me ? &s->pong : &s->ping) == 0);
    }
    return NULL;
}

static void side(int me)
{
    pthread_t t[THREADS], l[LENDERS], p;
    CHECK(pthread_create(&p, NULL, plays, (void *)(intptr_t)me) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, works, (void *)(intptr_t)me) == 0);
    for (int i = 0; i < LENDERS; i++)
        l[i] = spawn(lends, NULL);
    for (int i = 0; i < LENDERS; i++)
        CHECK(pthread_join(l[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_join(p, NULL) == 0);
}

static void with_peer(char *self, int fd, int native)
{
    char number[16];
    int status;
    snprintf(number, sizeof number, "%d", fd);
    memset(s, 0, sizeof *s);
    make();
    CHECK(sem_post(&s->ping) == 0);
    pid_t child = fork();
    if (child == 0) {
        if (native)
            unsetenv("LD_PRELOAD");
        execl(self, self, number, (char *)NULL);
        _exit(2);
    }
    side(1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < KINDS; i++)
        CHECK(s->counter[i] == 2 * (i < PI ? THREADS : LENDERS) * ROUNDS);
    CHECK(pthread_barrier_destroy(&s->barrier) == 0 && pthread_cond_destroy(&s->cond) == 0);
    CHECK(pthread_rwlock_destroy(&s->rw) == 0);
    printf("turns %d written %d serial %d\n", s->turns, s->a, s->serial);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int fd = argc > 1 ? atoi(argv[1]) : memfd_create("shared", 0);
    CHECK(fd >= 0 && ftruncate(fd, sizeof *s) == 0);
    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(s != MAP_FAILED);
    if (argc > 1) {
        side(0);
        return 0;
    }
    with_peer(argv[0], fd, 0);
    with_peer(argv[0], fd, 1);
    return 0;
}
