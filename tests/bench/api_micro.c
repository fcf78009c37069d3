/*
 * Costs of single operations of the explicit API, in ns: a switch, spawn_n + run + end, spawn + wait, a queue hand-off
 * (put + switch + get); and the memory of a parked light green thread, in bytes.
 *
 *   api_micro [SECONDS per figure]      prints one JSON object
 */
#include <evy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

enum { PARKED = 100000, BATCH = 100 };

static double seconds = 0.3;
static long count;

/* ns per operation: the best of runs that fill the time. */
static double measure(void (*work)(void))
{
    double best = 1e9;
    count = 100000;
    for (double start = now(); now() - start < seconds;) {
        double began = now();
        work();
        double took = (now() - began) * 1e9 / (double)count;
        best = took < best ? took : best;
    }
    return best;
}

static void wait_for(evy_gt *g)
{
    if (!g || evy_gt_wait(g, NULL)) {
        perror("api_micro");
        exit(1);
    }
    evy_gt_unref(g);
}

static void *cede_on(void *arg)
{
    for (long i = 0; i < count / 2; i++)
        evy_cede();
    return arg;
}

static void switches(void)
{
    evy_gt *a = evy_spawn(cede_on, NULL), *b = evy_spawn(cede_on, NULL);
    wait_for(a);
    wait_for(b);
}

static void *nothing(void *arg)
{
    return arg;
}

static void spawn_n(void)
{
    for (long i = 0; i < count / BATCH; i++) {
        for (int j = 0; j < BATCH; j++)
            evy_spawn_n(nothing, NULL);
        evy_cede();
    }
}

static void spawn_wait(void)
{
    for (long i = 0; i < count; i++)
        wait_for(evy_spawn(nothing, NULL));
}

static evy_queue *queue;

static void *produce(void *arg)
{
    for (long i = 0; i < count; i++)
        evy_queue_put(queue, arg, EVY_FOREVER);
    return NULL;
}

static void *consume(void *arg)
{
    for (long i = 0; i < count; i++)
        evy_queue_get(queue, &arg, EVY_FOREVER);
    return NULL;
}

static void hand_off(void)
{
    queue = evy_queue_new(1, EVY_Q_FIFO);
    evy_gt *a = evy_spawn(consume, NULL), *b = evy_spawn(produce, NULL);
    wait_for(a);
    wait_for(b);
    evy_queue_free(queue);
}

static void *park(void *arg)
{
    evy_sleep(EVY_FOREVER);
    return arg;
}

static long bytes_per_parked(void)
{
    evy_cede();
    long before = memory();
    for (int i = 0; i < PARKED; i++)
        evy_spawn_n(park, NULL);
    evy_cede();
    return (memory() - before) / PARKED;
}

/* On a light one itself: main has a TCB of its own, and a switch to and fro writes the thread pointer. */
static void *run(void *arg)
{
    printf("{\"switch\": %.2f, ", measure(switches));
    printf("\"spawn_n\": %.2f, ", measure(spawn_n));
    printf("\"spawn_wait\": %.2f, ", measure(spawn_wait));
    printf("\"queue\": %.2f, ", measure(hand_off));
    printf("\"parked_bytes\": %ld}\n", bytes_per_parked());
    fflush(stdout);
    _exit(0);
    return arg;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = atof(argv[1]);
    wait_for(evy_spawn(run, NULL));
    return 1;
}
