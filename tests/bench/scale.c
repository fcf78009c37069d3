/*
 * What one operation costs while THREADS threads live, in ns of CPU time: each phase lets all of them do the same.
 *
 *   scale THREADS      prints one JSON object
 *
 * create, create_warm: pthread_create of one that parks, with fresh memory and with that of ended ones; join: its end
 * and pthread_join. broadcast: one woken of all that wait for a condition, and parked again; every phase begins with
 * that, and its cost is in what follows, but for yield: sched_yield with all of them ready. sem, rwlock: one that waits
 * for a semaphore (a read lock), is let in and leaves. sleep: a usleep beside all others'. bytes: resident memory and
 * page tables per parked thread.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

enum { YIELDS = 10, ROUNDS = 5, STACK = 64 << 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t phase_begins = PTHREAD_COND_INITIALIZER, all_wait = PTHREAD_COND_INITIALIZER;
static long threads, waiting; /* lock */
static int phase, round_now;  /* what all do, and for the how manieth time; lock */
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;

enum { PARKED, BROADCAST, YIELD, SEM, RWLOCK, SLEEP, END };

static void yields(void)
{
    for (int i = 0; i < YIELDS; i++)
        sched_yield();
}

static void read_once(void)
{
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
}

static void work(int what, long number)
{
    if (what == YIELD)
        yields();
    else if (what == SEM)
        sem_wait(&sem);
    else if (what == RWLOCK)
        read_once();
    else if (what == SLEEP)
        usleep((unsigned)(1000 + number % 1000 * 100));
}

static void *body(void *arg)
{
    int what = PARKED;
    while (what != END) {
        pthread_mutex_lock(&lock);
        int done = round_now;
        if (++waiting == threads)
            pthread_cond_signal(&all_wait);
        while (round_now == done)
            pthread_cond_wait(&phase_begins, &lock);
        what = phase;
        pthread_mutex_unlock(&lock);
        work(what, (long)(intptr_t)arg);
    }
    return NULL;
}

static void wait_for_all(void)
{
    pthread_mutex_lock(&lock);
    while (waiting < threads)
        pthread_cond_wait(&all_wait, &lock);
    pthread_mutex_unlock(&lock);
}

static void begin(int next)
{
    pthread_mutex_lock(&lock);
    phase = next;
    round_now++;
    waiting = 0;
    pthread_cond_broadcast(&phase_begins);
    pthread_mutex_unlock(&lock);
}

/* ns per thread of a phase, the best of some. allow lets those in who wait for main. */
static double run(int next, void (*allow)(void))
{
    double best = 1e12;
    for (int i = 0; i < ROUNDS; i++) {
        if (next == RWLOCK)
            pthread_rwlock_wrlock(&rwlock);
        double start = cpu_now();
        begin(next);
        if (allow)
            allow();
        wait_for_all();
        double ns = (cpu_now() - start) / (double)threads;
        best = ns < best ? ns : best;
    }
    return best;
}

static double create(pthread_t *t)
{
    pthread_attr_t attr;
    double start = cpu_now();
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    waiting = 0;
    for (long i = 0; i < threads; i++)
        if (pthread_create(&t[i], &attr, body, (void *)(intptr_t)i)) {
            fprintf(stderr, "scale: thread %ld could not be made\n", i);
            exit(1);
        }
    wait_for_all();
    return (cpu_now() - start) / (double)threads;
}

static double join(const pthread_t *t)
{
    double start = cpu_now();
    begin(END);
    for (long i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    return (cpu_now() - start) / (double)threads;
}

static void post_all(void)
{
    yields(); /* they come and wait */
    for (long i = 0; i < threads; i++)
        sem_post(&sem);
}

static void let_readers_in(void)
{
    yields();
    pthread_rwlock_unlock(&rwlock);
}

static void *measure(void *arg)
{
    pthread_t *t = calloc((size_t)threads, sizeof *t);
    long before = memory();
    double cold = create(t);
    long bytes = (memory() - before) / threads;
    double broadcast = run(BROADCAST, NULL);
    double yield = (run(YIELD, NULL) - broadcast) / YIELDS;
    double post = run(SEM, post_all);
    double read = run(RWLOCK, let_readers_in);
    double sleep = run(SLEEP, NULL);
    run(BROADCAST, NULL); /* sleeping has let the caches go cold */
    double joined = join(t), warm = 1e12;
    for (int i = 0; i < ROUNDS; i++) {
        double ns = create(t), end = join(t);
        warm = ns < warm ? ns : warm;
        joined = end < joined ? end : joined;
    }
    printf(
        "{\"threads\": %ld, \"bytes\": %ld, \"create\": %.1f, \"create_warm\": %.1f, \"join\": "
        "%.1f, "
        "\"broadcast\": %.1f, \"yield\": %.1f, \"sem\": %.1f, \"rwlock\": %.1f, \"sleep\": %.1f}\n",
        threads, bytes, cold, warm, joined, broadcast, yield, post, read, sleep);
    free(t);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t;
    threads = argc == 2 ? atol(argv[1]) : 0;
    if (threads < 1 || sem_init(&sem, 0, 0) || pthread_create(&t, NULL, measure, NULL)) {
        fprintf(stderr, "usage: scale THREADS\n");
        return 2;
    }
    pthread_join(t, NULL);
    return 0;
}
