// Proves: robust mutexes of every type whose owner thread returns, exits or is cancelled, or whose
// owner process is killed, are handed on with EOWNERDEAD, also to threads that wait in
// pthread_mutex_lock, pthread_mutex_timedlock and pthread_cond_wait; and that is so although another
// thread holds one whose memory has come to serve for others.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { MUTEXES = 6 };

struct shared {
    pthread_mutex_t m[MUTEXES];
    pthread_cond_t cond;
    int held, go;
};

static struct shared *s;
static pthread_mutex_t private;

static void make(pthread_mutex_t *m, int type, int shared)
{
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    CHECK(pthread_mutexattr_settype(&a, type) == 0);
    CHECK(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutexattr_setpshared(&a, shared ? PTHREAD_PROCESS_SHARED
                                                  : PTHREAD_PROCESS_PRIVATE) == 0);
    CHECK(pthread_mutex_init(m, &a) == 0);
}

static void put_right(pthread_mutex_t *m, int result)
{
    CHECK(result == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(m) == 0 && pthread_mutex_consistent(m) == EINVAL);
    CHECK(pthread_mutex_unlock(m) == 0);
}

static void *dies(void *how)
{
    CHECK(pthread_mutex_lock(&private) == 0);
    switch ((intptr_t)how) {
    case 0:
        return NULL;
    case 1:
        pthread_exit(NULL);
    default:
        for (;;)
            pause();
    }
}

static void *locks_late(void *arg)
{
    put_right(&private, pthread_mutex_lock(&private));
    return arg;
}

static void *locks_timed(void *arg)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 100;
    put_right(&private, pthread_mutex_timedlock(&private, &t));
    return arg;
}

static void threads(int type)
{
    make(&private, type, 0);
    for (intptr_t how = 0; how < 3; how++) {
        pthread_t t = spawn(dies, (void *)how), late;
        if (how < 2) {
            CHECK(pthread_join(t, NULL) == 0);
            late = spawn(how ? locks_timed : locks_late, NULL);
        } else {
            while (pthread_mutex_trylock(&private) == 0) {
                pthread_mutex_unlock(&private);
                usleep(100);
            }
            late = spawn(locks_late, NULL);
            usleep(3000);
            CHECK(pthread_cancel(t) == 0 && pthread_join(t, NULL) == 0);
        }
        CHECK(pthread_join(late, NULL) == 0);
    }
    CHECK(pthread_mutex_destroy(&private) == 0);
}

static void *holds_all(void *arg)
{
    for (int i = 0; i < MUTEXES; i++)
        CHECK(pthread_mutex_lock(&s->m[i]) == 0);
    CHECK(pthread_mutex_unlock(&s->m[1]) == 0);
    __atomic_store_n(&s->held, 1, __ATOMIC_SEQ_CST);
    for (;;)
        pause();
    return arg;
}

static void *takes_over(void *m)
{
    put_right(m, pthread_mutex_lock(m));
    return NULL;
}

// All mutexes but one are held by a thread of a process that is killed.
static void processes(char *self, int fd, int native)
{
    pthread_t t[MUTEXES];
    int status;
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    memset(s, 0, sizeof *s);
    for (int i = 0; i < MUTEXES; i++)
        make(&s->m[i], i % 3, 1);
    pid_t child = fork();
    if (child == 0) {
        if (native)
            unsetenv("LD_PRELOAD");
        execl(self, self, number, (char *)NULL);
        _exit(2);
    }
    while (!__atomic_load_n(&s->held, __ATOMIC_SEQ_CST))
        usleep(100);
    CHECK(pthread_mutex_lock(&s->m[1]) == 0 && pthread_mutex_unlock(&s->m[1]) == 0);
    CHECK(pthread_mutex_trylock(&s->m[0]) == EBUSY && pthread_mutex_unlock(&s->m[0]) == EPERM);
    for (int i = 2; i < MUTEXES; i++)
        t[i] = spawn(takes_over, &s->m[i]);
    usleep(20000);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    for (int i = 2; i < MUTEXES; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    put_right(&s->m[0], pthread_mutex_trylock(&s->m[0]));
}

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int go, waiting;

static void *waits(void *arg)
{
    CHECK(pthread_mutex_lock(&private) == 0);
    int r = 0;
    waiting = 1;
    while (!go && r == 0)
        r = pthread_cond_wait(&cond, &private);
    put_right(&private, r);
    return arg;
}

static void *signals_and_dies(void *arg)
{
    CHECK(pthread_mutex_lock(&private) == 0);
    go = 1;
    CHECK(pthread_cond_signal(&cond) == 0);
    return arg;
}

static pthread_barrier_t held;

static void *holds_for_ever(void *arg)
{
    (void)arg;
    CHECK(pthread_mutex_lock(&private) == 0);
    pthread_barrier_wait(&held);
    pthread_barrier_wait(&held);
    _exit(0); // natively its end would look at what it held
}

/* In a process of its own. */
static void reused(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        make(&private, PTHREAD_MUTEX_NORMAL, 0);
        CHECK(pthread_barrier_init(&held, NULL, 2) == 0);
        pthread_t holder = spawn(holds_for_ever, NULL);
        pthread_barrier_wait(&held);
        for (int i = 0; i < 3; i++) {
            memset(&private, 0, sizeof private);
            make(&private, PTHREAD_MUTEX_NORMAL, 0);
            CHECK(pthread_join(spawn(dies, (void *)0), NULL) == 0);
            CHECK(pthread_join(spawn(locks_late, NULL), NULL) == 0);
        }
        pthread_barrier_wait(&held);
        pthread_join(holder, NULL);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char **argv)
{
    int fd = argc > 1 ? atoi(argv[1]) : memfd_create("shared", 0);
    CHECK(fd >= 0 && ftruncate(fd, sizeof *s) == 0);
    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(s != MAP_FAILED);
    if (argc > 1) {
        pthread_join(spawn(holds_all, NULL), NULL);
        return 0;
    }
    reused();
    make(&private, PTHREAD_MUTEX_NORMAL, 0);
    CHECK(pthread_mutex_lock(&private) == 0); // while main is alone
    pthread_t t = spawn(waits, NULL);
    usleep(1000);
    for (int there = 0; !there; usleep(100)) {
        CHECK(pthread_mutex_unlock(&private) == 0);
        usleep(100);
        CHECK(pthread_mutex_lock(&private) == 0);
        there = waiting;
    }
    CHECK(pthread_mutex_unlock(&private) == 0);
    CHECK(pthread_join(spawn(signals_and_dies, NULL), NULL) == 0 && pthread_join(t, NULL) == 0);
    for (int type = 0; type < 4; type++)
        threads(type);
    processes(argv[0], fd, 0);
    processes(argv[0], fd, 1);
    puts("robust ok");
    return 0;
}
