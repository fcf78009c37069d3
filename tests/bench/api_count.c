/*
 * Hot operations, for who counts their instructions (tests/unit/instructions.sh): before each kind a function mark_NAME
 * is called, mark_rest before what does not count. Each is done COUNT times, few enough to stay within a hub's time
 * slice in an emulator.
 *
 * Prints COUNT. The first operations are light green threads', from monkey_patch on those of pthreads.
 */
#include <evy.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "players.h"

enum { COUNT = 1000, BATCH = 100 };

#define MARK(name)                                                                                 \
    __attribute__((noinline)) void mark_##name(void);                                              \
    void mark_##name(void)                                                                         \
    {                                                                                              \
        __asm__ volatile("");                                                                      \
    }

MARK(light_switch)
MARK(spawn_n_run)
MARK(spawn_wait)
MARK(queue_hand_over)
MARK(own_tcb_switch)
MARK(create_join)
MARK(mutex)
MARK(park_unpark)
MARK(condition_round_trip)
MARK(recv_ready)
MARK(recv_waits)
MARK(rest)

static void must(int fine)
{
    if (!fine) {
        perror("api_count");
        exit(1);
    }
}

/* Light ones */

static void wait_for(evy_gt *g)
{
    must(g && evy_gt_wait(g, NULL) == 0);
    evy_gt_unref(g);
}

static void *nothing(void *arg)
{
    return arg;
}

static void both(evy_fn a, evy_fn b)
{
    evy_gt *one = evy_spawn(a, NULL), *two = evy_spawn(b, NULL);
    wait_for(one);
    wait_for(two);
}

static void *cede(void *arg)
{
    for (int i = 0; i < COUNT / 2; i++)
        evy_cede();
    return arg;
}

static void spawn_n_run(void)
{
    for (int i = 0; i < COUNT / BATCH; i++) {
        for (int j = 0; j < BATCH; j++)
            must(evy_spawn_n(nothing, NULL) != NULL);
        evy_cede();
    }
}

static void spawn_wait(void)
{
    for (int i = 0; i < COUNT; i++)
        wait_for(evy_spawn(nothing, NULL));
}

static evy_queue *queue;

static void *produce(void *arg)
{
    for (int i = 0; i < COUNT; i++)
        evy_queue_put(queue, queue, EVY_FOREVER);
    return arg;
}

static void *consume(void *arg)
{
    for (int i = 0; i < COUNT; i++)
        evy_queue_get(queue, &arg, EVY_FOREVER);
    return NULL;
}

static void *light_ones(void *arg)
{
    queue = evy_queue_new(1, EVY_Q_FIFO);
    spawn_n_run(); /* once before: bodies and pages are there */
    both(produce, consume);
    mark_light_switch();
    both(cede, cede);
    mark_spawn_n_run();
    spawn_n_run();
    mark_spawn_wait();
    spawn_wait();
    mark_queue_hand_over();
    both(produce, consume);
    mark_rest();
    return arg;
}

/* Pthreads */

static int pair[2];

static void *yields(void *arg)
{
    for (int i = 0; i < COUNT / 2; i++)
        sched_yield();
    return arg;
}

static void create_join(int count)
{
    pthread_t t;
    while (count--)
        must(pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0);
}

static void mutex(void)
{
    for (int i = 0; i < COUNT; i++) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
}

static void recv_ready(void)
{
    char byte, many[COUNT] = {0};
    must(send(pair[0], many, sizeof many, 0) == sizeof many);
    mark_recv_ready();
    for (int i = 0; i < COUNT; i++)
        must(recv(pair[1], &byte, 1, 0) == 1);
}

static void *echo(void *arg)
{
    char byte;
    for (int i = 0; i < COUNT; i++)
        must(recv(pair[1], &byte, 1, 0) == 1 && send(pair[1], &byte, 1, 0) == 1);
    return arg;
}

static void *ask(void *arg)
{
    char byte = 0;
    for (int i = 0; i < COUNT; i++)
        must(send(pair[0], &byte, 1, 0) == 1 && recv(pair[0], &byte, 1, 0) == 1);
    return arg;
}

static void two(void *(*a)(void *), void *(*b)(void *))
{
    pthread_t one, other;
    must(pthread_create(&one, NULL, a, NULL) == 0);
    must(pthread_create(&other, NULL, b, &lock) == 0);
    must(pthread_join(one, NULL) == 0 && pthread_join(other, NULL) == 0);
}

static void *pthreads(void *arg)
{
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    must(sem_init(&ball[0], 0, 1) == 0 && sem_init(&ball[1], 0, 0) == 0);
    create_join(10);
    two(ask, echo);
    mark_own_tcb_switch();
    two(yields, yields);
    mark_create_join();
    create_join(COUNT);
    mark_mutex();
    mutex();
    mark_park_unpark();
    rounds = COUNT / 2; /* each is woken that often */
    two(sem_player, sem_player);
    rounds = COUNT;
    mark_condition_round_trip();
    two(cond_player, cond_player);
    recv_ready();
    mark_recv_waits();
    two(ask, echo);
    mark_rest();
    return arg;
}

int main(void)
{
    pthread_t t;
    wait_for(evy_spawn(light_ones, NULL));
    must(evy_monkey_patch(EVY_PATCH_ALL) == 0);
    must(pthread_create(&t, NULL, pthreads, NULL) == 0 && pthread_join(t, NULL) == 0);
    printf("%d\n", COUNT);
    return 0;
}
