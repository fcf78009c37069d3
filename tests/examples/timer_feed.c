// A feed of timers: each puts its time into a queue when it is due; what is cancelled never comes.
#include "example.h"

#include <time.h>

#define TIMERS 1000

static evy_queue *feed;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *due(void *ms)
{
    NEED(evy_queue_put(feed, ms, EVY_FOREVER) == 0);
    return NULL;
}

int main(void)
{
    evy_gt *timers[TIMERS];
    void *ms, *last = 0;
    int expected = 0;
    unsigned seed = 1;
    double start = now();
    feed = evy_queue_new(-1, EVY_Q_FIFO);
    for (int i = 0; i < TIMERS; i++) {
        seed = seed * 1103515245 + 12345;
        intptr_t at = 50 * (seed >> 16 & 7) + 50;
        timers[i] = evy_spawn_after(start + (double)at / 1000 - now(), due, (void *)at);
        NEED(timers[i]);
    }
    for (int i = 0; i < TIMERS; i++) {
        expected += i % 3 ? 1 : 0;
        if (i % 3 == 0)
            NEED(evy_cancel(timers[i], 0) == 1);
        evy_gt_unref(timers[i]);
    }
    for (int i = 0; i < expected; i++) {
        NEED(evy_queue_get(feed, &ms, 5) == 0 && ms >= last);
        last = ms;
    }
    NEED(evy_queue_get(feed, &ms, 0.02) == -1 && errno == ETIMEDOUT);
    printf("%d timers in order, %d cancelled\n", expected, TIMERS - expected);
    evy_queue_free(feed);
    return 0;
}
