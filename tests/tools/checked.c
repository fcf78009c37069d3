/* For checkers.sh: green threads that use their stacks in every way a checker might misunderstand; by its argument, one that
   does something wrong. */
#include <evy.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAIRS = 10, ITEMS = 200 };

static evy_queue *queue;
static int shared;

static int deep(int n)
{
    char room[300];
    memset(room, n, sizeof room);
    return n ? deep(n - 1) + room[n] : 0;
}

static void *produces(void *arg)
{
    for (int i = 0; i < ITEMS; i++) {
        int *item = malloc(sizeof *item);
        *item = deep(20) * 0 + i;
        shared++; /* a race only between threads that may run in parallel */
        evy_queue_put(queue, item, EVY_FOREVER);
        evy_sleep(0);
    }
    return arg;
}

static void *consumes(void *arg)
{
    long sum = 0;
    for (int i = 0; i < ITEMS; i++) {
        jmp_buf back;
        void *item = NULL;
        evy_queue_get(queue, &item, EVY_FOREVER);
        sum += *(int *)item;
        free(item);
        shared++;
        if (!setjmp(back))
            longjmp(back, 1);
    }
    *(long *)arg = sum;
    return arg;
}

static void *ends_deep_inside(void *arg)
{
    char room[2000];
    memset(room, 1, sizeof room);
    evy_exit(arg ? arg : room);
}

static void *waits_for_ever(void *arg)
{
    char *kept = malloc(100); /* no leak: this stack leads to it */
    memset(kept, 0, 100);
    evy_sleep(1e6);
    free(kept);
    return arg;
}

static void *blocks(void *arg)
{
    int *n = arg;
    for (int i = 0; i < 1000; i++)
        ++*n;
    return arg;
}

/* libc's code, on a kernel thread and a TCB that are lent for it. */
static void *looks_up(void *arg)
{
    struct addrinfo *found = NULL;
    if (evy_getaddrinfo("127.0.0.1", "80", NULL, &found) == 0)
        ++*(int *)arg;
    freeaddrinfo(found);
    return arg;
}

/* Long enough for its hub to go on without it. */
static void *computes(void *arg)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 50);
    *(int *)arg = 50;
    return arg;
}

static void *overflows(void *arg)
{
    char room[8];
    volatile size_t n = 9;
    memset(room, 0, n);
    return room[0] ? arg : NULL;
}

static void *races(void *arg)
{
    for (int i = 0; i < 100; i++)
        shared++;
    return arg;
}

static void *leaks(void *arg)
{
    char *volatile lost = malloc(1234);
    lost = NULL;
    return lost ? arg : NULL;
}

static void *reads_undefined(void *arg)
{
    char *room = malloc(10);
    if (room[3])
        shared++;
    free(room);
    return arg;
}

static void pairs(void)
{
    evy_gt *threads[2 * PAIRS];
    long sums[PAIRS], all = 0;
    queue = evy_queue_new(5, EVY_Q_FIFO);
    evy_attr own = {.flags = EVY_OWN_TCB};
    for (int i = 0; i < PAIRS; i++) {
        threads[2 * i] = evy_spawn_ex(i % 2 ? &own : NULL, produces, NULL);
        threads[2 * i + 1] = evy_spawn(consumes, &sums[i]);
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        evy_gt_wait(threads[i], NULL);
        evy_gt_unref(threads[i]);
    }
    for (int i = 0; i < PAIRS; i++)
        all += sums[i];
    evy_queue_free(queue);
    printf("%ld %d\n", all, shared);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        evy_fn fn;
    } wrongs[] = {{"overflow", overflows}, {"leak", leaks}, {"undefined", reads_undefined}};
    int counted = 0;
    pthread_t native;
    pairs();
    for (int i = 0; i < 50; i++) {
        evy_gt *ends = evy_spawn(ends_deep_inside, &counted);
        evy_gt_wait(ends, NULL);
        evy_gt_unref(ends);
    }
    evy_blocking(blocks, &counted, NULL);
    printf("%d\n", counted);
    evy_gt *looks = evy_spawn(looks_up, &counted);
    evy_gt_wait(looks, NULL);
    evy_gt_unref(looks);
    printf("%d\n", counted);
    evy_gt *long_one = evy_spawn(computes, &counted);
    evy_gt_wait_timeout(long_one, NULL, 0.02);
    evy_gt_wait(long_one, NULL);
    evy_gt_unref(long_one);
    printf("%d\n", counted);
    evy_spawn_n(waits_for_ever, NULL);
    for (size_t i = 0; argc > 1 && i < sizeof wrongs / sizeof *wrongs; i++) {
        if (strcmp(argv[1], wrongs[i].name) != 0)
            continue;
        evy_gt *wrong = evy_spawn(wrongs[i].fn, NULL);
        evy_gt_wait(wrong, NULL);
        evy_gt_unref(wrong);
    }
    if (argc > 1 && strcmp(argv[1], "race") == 0) {
        evy_gt *green = evy_spawn(races, NULL);
        pthread_create(&native, NULL, races, NULL);
        evy_gt_wait(green, NULL);
        evy_gt_unref(green);
        pthread_join(native, NULL);
    }
    evy_sleep(0);
    return 0;
}
