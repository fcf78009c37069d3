// Proves: a robust mutex whose owner thread or process dies is handed on with EOWNERDEAD, made
// good by pthread_mutex_consistent, or lost with ENOTRECOVERABLE; process-shared mutexes and
// conditions work between parent and child.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

struct shared {
    pthread_mutex_t robust, lock;
    pthread_cond_t cond;
    int turn, count;
};

static struct shared *s;

static void *die_holding(void *m)
{
    CHECK(pthread_mutex_lock(m) == 0);
    return NULL;
}

static void *wait_for(void *m)
{
    int rc = pthread_mutex_lock(m);
    CHECK(rc == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(m) == 0 && pthread_mutex_unlock(m) == 0);
    return NULL;
}

static void make(pthread_mutex_t *m, int robust)
{
    pthread_mutexattr_t a;
    CHECK(pthread_mutexattr_init(&a) == 0);
    CHECK(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutexattr_setrobust(&a, robust ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED) ==
          0);
    CHECK(pthread_mutex_init(m, &a) == 0);
}

static void threads(void)
{
    make(&s->robust, 1);
    CHECK(pthread_join(spawn(die_holding, &s->robust), NULL) == 0);
    CHECK(pthread_mutex_trylock(&s->robust) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(&s->robust) == 0 && pthread_mutex_unlock(&s->robust) == 0);
    CHECK(pthread_mutex_lock(&s->robust) == 0 && pthread_mutex_unlock(&s->robust) == 0);
    CHECK(pthread_mutex_consistent(&s->robust) == EINVAL);
    CHECK(pthread_join(spawn(die_holding, &s->robust), NULL) == 0);
    CHECK(pthread_join(spawn(wait_for, &s->robust), NULL) == 0);
    CHECK(pthread_join(spawn(die_holding, &s->robust), NULL) == 0);
    CHECK(pthread_mutex_lock(&s->robust) == EOWNERDEAD);
    CHECK(pthread_mutex_unlock(&s->robust) == 0); // unlocked without being made consistent
    CHECK(pthread_mutex_lock(&s->robust) == ENOTRECOVERABLE);
    CHECK(pthread_mutex_destroy(&s->robust) == 0);
}

static void play(int me)
{
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    for (int i = 0; i < 500; i++) {
        while (s->turn != me)
            CHECK(pthread_cond_wait(&s->cond, &s->lock) == 0);
        s->count++;
        s->turn = !me;
        CHECK(pthread_cond_broadcast(&s->cond) == 0);
    }
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
}

static void *play_on_thread(void *arg)
{
    play(1);
    return arg;
}

static void processes(void)
{
    pthread_condattr_t a;
    int status;
    make(&s->robust, 1);
    make(&s->lock, 0);
    CHECK(pthread_condattr_init(&a) == 0 &&
          pthread_condattr_setpshared(&a, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_cond_init(&s->cond, &a) == 0);
    pid_t child = fork();
    if (child == 0) {
        play(0);
        CHECK(pthread_mutex_lock(&s->robust) == 0);
        _exit(0);
    }
    CHECK(pthread_join(spawn(play_on_thread, NULL), NULL) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(pthread_mutex_lock(&s->robust) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(&s->robust) == 0 && pthread_mutex_unlock(&s->robust) == 0);
}

int main(void)
{
    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(s != MAP_FAILED);
    threads();
    processes();
    printf("turns between processes %d\n", s->count);
    return 0;
}
