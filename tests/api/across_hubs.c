// env: EVY_HUBS=2
/* Green pthreads on two hubs share queues, semaphores and handles with the cooperative green threads of hub 0, light ones and
   those with a TCB of their own: nothing is lost, order is kept, kills arrive, memory comes back. */
#include <errno.h>
#include <evy.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEED(x)                                                                                    \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, #x, strerror(errno));                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

enum { WORKERS = 4, ITEMS = 5000, VICTIMS = 200 };

static evy_queue *jobs, *results, *channel;
static evy_sem *permits;
static long inside;

/* On any hub, in parallel with the light ones. */
static void *worker(void *arg)
{
    void *item;
    while (evy_queue_get(jobs, &item, EVY_FOREVER) == 0 && item) {
        NEED(evy_sem_acquire(permits, EVY_FOREVER) == 0);
        long now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        NEED(now <= 2);
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        NEED(evy_sem_release(permits) == 0);
        NEED(evy_queue_put(results, item, EVY_FOREVER) == 0);
    }
    return arg;
}

static void *produce(void *arg)
{
    for (long i = 1; i <= ITEMS; i++)
        NEED(evy_queue_put(jobs, (void *)i, EVY_FOREVER) == 0);
    return arg;
}

static void work_together(void)
{
    pthread_t t[WORKERS];
    long sum = 0;
    jobs = evy_queue_new(3, EVY_Q_FIFO);
    results = evy_queue_new(-1, EVY_Q_FIFO);
    permits = evy_sem_new_bounded(2);
    for (int i = 0; i < WORKERS; i++)
        NEED(pthread_create(&t[i], NULL, worker, NULL) == 0);
    NEED(evy_spawn_n(produce, NULL) && evy_spawn_n(produce, NULL));
    for (int i = 0; i < 2 * ITEMS; i++) {
        void *item;
        NEED(evy_queue_get(results, &item, 20) == 0);
        sum += (long)item;
    }
    NEED(sum == (long)ITEMS * (ITEMS + 1));
    for (int i = 0; i < WORKERS; i++)
        NEED(evy_queue_put(jobs, NULL, EVY_FOREVER) == 0);
    for (int i = 0; i < WORKERS; i++)
        NEED(pthread_join(t[i], NULL) == 0);
}

static void *echo_back(void *arg)
{
    void *item;
    for (int i = 0; i < 500; i++) {
        NEED(evy_queue_get(channel, &item, 20) == 0);
        NEED(item == (void *)(long)i);
    }
    return arg;
}

/* A channel hands over in order, one at a time, whatever the hub. */
static void meet(void)
{
    pthread_t t;
    channel = evy_queue_new(0, EVY_Q_FIFO);
    NEED(pthread_create(&t, NULL, echo_back, NULL) == 0);
    for (long i = 0; i < 500; i++)
        NEED(evy_queue_put(channel, (void *)i, 20) == 0);
    NEED(pthread_join(t, NULL) == 0);
}

static void *victim(void *arg)
{
    NEED(evy_sleep(20) == -1 && errno == EPIPE);
    NEED(evy_sleep(0) == 0);
    return arg;
}

static void *kill_them(void *arg)
{
    evy_gt **g = arg;
    for (int i = 0; i < VICTIMS; i++)
        NEED(evy_kill(g[i], EPIPE) == 0);
    for (int i = 0; i < VICTIMS; i++) {
        evy_gt_wait(g[i], NULL);
        evy_gt_unref(g[i]);
    }
    return NULL;
}

static evy_gt *victims[2][VICTIMS];

static void make_victims(void)
{
    for (int i = 0; i < 2 * VICTIMS; i++)
        NEED((victims[i / VICTIMS][i % VICTIMS] = evy_spawn(victim, NULL)));
    evy_sleep(0);
}

static void kill_from_elsewhere(void)
{
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        NEED(pthread_create(&t[i], NULL, kill_them, victims[i]) == 0);
    for (int i = 0; i < 2; i++)
        NEED(pthread_join(t[i], NULL) == 0);
}

int main(void)
{
    make_victims(); /* light ones */
    NEED(evy_monkey_patch(EVY_PATCH_THREAD) == 0);
    kill_from_elsewhere();
    work_together();
    meet();
    make_victims();
    kill_from_elsewhere();
    puts("ok");
    return 0;
}
