/*
 * What one operation costs while GREENS light green threads live, in ns of CPU time: each phase lets all of them do the
 * same.
 *
 *   api_scale GREENS      prints one JSON object
 *
 * create, create_warm: spawn_n of one that parks, with fresh memory and with that of ended ones; join: its end.
 * broadcast: one woken of all that wait for an event, and parked again; every phase begins with that, and its cost is in
 * what follows, but for yield: cede with all of them ready. sem, queue: one that waits for a semaphore (an item) and
 * gets it. sleep: a sleep beside all others'. bytes: resident memory and page tables per parked one.
 */
#include <evy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "measure.h"

enum { CEDES = 10, ROUNDS = 5 };

static long greens, waiting;
static evy_event *begins, *all_wait;
static evy_sem *sem;
static evy_queue *queue;

enum { BROADCAST, CEDE, SEM, QUEUE, SLEEP, END };

static void cedes(void)
{
    for (int i = 0; i < CEDES; i++)
        evy_cede();
}

static void work(long what, long number)
{
    void *item;
    if (what == CEDE)
        cedes();
    else if (what == SEM)
        evy_sem_acquire(sem, EVY_FOREVER);
    else if (what == QUEUE)
        evy_queue_get(queue, &item, EVY_FOREVER);
    else if (what == SLEEP)
        evy_sleep(0.001 + (double)(number % 1000) * 0.0001);
}

/* An event is sent once: each phase has one of its own. */
static void *body(void *arg)
{
    void *what = NULL;
    do {
        evy_event *e = begins;
        if (++waiting == greens)
            evy_event_send(all_wait, NULL);
        evy_event_wait(e, &what, EVY_FOREVER);
        work((long)what, (long)(intptr_t)arg);
    } while ((long)what != END);
    if (++waiting == greens)
        evy_event_send(all_wait, NULL);
    return NULL;
}

static double wait_for_all(double start)
{
    evy_event_wait(all_wait, NULL, EVY_FOREVER);
    evy_event_free(all_wait);
    all_wait = evy_event_new();
    return (cpu_now() - start) / (double)greens;
}

static double begin(long what, void (*allow)(void))
{
    double start = cpu_now();
    evy_event *now = begins;
    waiting = 0;
    begins = evy_event_new();
    evy_event_send(now, (void *)what);
    if (allow)
        allow();
    double ns = wait_for_all(start);
    evy_event_free(now);
    return ns;
}

/* ns per green thread of a phase, the best of some. allow lets those in who wait for main. */
static double run(long what, void (*allow)(void))
{
    double best = 1e12;
    for (int i = 0; i < ROUNDS; i++) {
        double ns = begin(what, allow);
        best = ns < best ? ns : best;
    }
    return best;
}

static double spawn(void)
{
    double start = cpu_now();
    waiting = 0;
    for (long i = 0; i < greens; i++)
        if (!evy_spawn_n(body, (void *)(intptr_t)i)) {
            perror("api_scale");
            exit(1);
        }
    return wait_for_all(start);
}

static void release_all(void)
{
    cedes(); /* they come and wait */
    for (long i = 0; i < greens; i++)
        evy_sem_release(sem);
}

static void put_all(void)
{
    cedes();
    for (long i = 0; i < greens; i++)
        evy_queue_put(queue, queue, EVY_FOREVER);
}

static void *measure(void *arg)
{
    begins = evy_event_new();
    all_wait = evy_event_new();
    sem = evy_sem_new(0);
    queue = evy_queue_new(-1, EVY_Q_FIFO);
    long before = memory();
    double cold = spawn();
    long bytes = (memory() - before) / greens;
    double broadcast = run(BROADCAST, NULL);
    double cede = (run(CEDE, NULL) - broadcast) / CEDES;
    double sem_ns = run(SEM, release_all);
    double queue_ns = run(QUEUE, put_all);
    double sleep = run(SLEEP, NULL);
    run(BROADCAST, NULL); /* sleeping has let the caches go cold */
    double end = begin(END, NULL), warm = 1e12;
    for (int i = 0; i < ROUNDS; i++) {
        double ns = spawn(), ended = begin(END, NULL);
        warm = ns < warm ? ns : warm;
        end = ended < end ? ended : end;
    }
    printf(
        "{\"threads\": %ld, \"bytes\": %ld, \"create\": %.1f, \"create_warm\": %.1f, \"join\": "
        "%.1f, "
        "\"broadcast\": %.1f, \"yield\": %.1f, \"sem\": %.1f, \"queue\": %.1f, \"sleep\": %.1f}\n",
        greens, bytes, cold, warm, end, broadcast, cede, sem_ns, queue_ns, sleep);
    fflush(stdout);
    _exit(0);
    return arg;
}

int main(int argc, char **argv)
{
    greens = argc == 2 ? atol(argv[1]) : 0;
    if (greens < 1) {
        fprintf(stderr, "usage: api_scale GREENS\n");
        return 2;
    }
    evy_gt *g = evy_spawn(measure, NULL); /* a light one itself: main has a TCB of its own */
    return g ? evy_gt_wait(g, NULL) : 1;
}
