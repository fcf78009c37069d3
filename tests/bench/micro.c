/*
 * Costs of single thread operations, in ns: create+join in sequence, a round trip of two threads
 * over a condition variable and over semaphores, an uncontended mutex lock+unlock.
 *
 *   micro [SECONDS per figure]      prints one JSON object
 *
 * Everything runs on threads of its own: no libc shortcut for single-threaded processes counts.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "measure.h"
#include "players.h"

static double seconds = 0.5;

static void must(int error)
{
    if (error) {
        fprintf(stderr, "micro: error %d\n", error);
        exit(1);
    }
}

/* ns per operation of work(count), repeated with growing counts until it lasts long enough. */
static double measure(void (*work)(long))
{
    for (long count = 100;; count *= 4) {
        double start = now();
        work(count);
        double took = now() - start;
        if (took >= seconds)
            return took * 1e9 / (double)count;
        if (took > seconds / 20) { /* the rest in one go */
            count = (long)((double)count * seconds * 1.05 / took) + 1;
            start = now();
            work(count);
            return (now() - start) * 1e9 / (double)count;
        }
    }
}

static void *nothing(void *arg)
{
    return arg;
}

static void create_join(long count)
{
    pthread_t t;
    while (count--) {
        must(pthread_create(&t, NULL, nothing, NULL));
        must(pthread_join(t, NULL));
    }
}

static void play(void *(*player)(void *), long count)
{
    pthread_t a, b;
    rounds = count;
    must(pthread_create(&a, NULL, player, NULL));
    must(pthread_create(&b, NULL, player, &lock));
    must(pthread_join(a, NULL));
    must(pthread_join(b, NULL));
}

static void cond_ping_pong(long count)
{
    play(cond_player, count);
}

static void sem_ping_pong(long count)
{
    sem_init(&ball[0], 0, 1);
    sem_init(&ball[1], 0, 0);
    play(sem_player, count);
}

static void mutex(long count)
{
    while (count--) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
}

static void *run(void *arg)
{
    (void)arg;
    create_join(2000); /* warm */
    printf("{\"create_join\": %.1f, ", measure(create_join));
    printf("\"cond_ping_pong\": %.1f, ", measure(cond_ping_pong));
    printf("\"sem_ping_pong\": %.1f, ", measure(sem_ping_pong));
    printf("\"mutex\": %.2f}\n", measure(mutex));
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t;
    if (argc > 1)
        seconds = atof(argv[1]);
    must(pthread_create(&t, NULL, run, NULL));
    must(pthread_join(t, NULL));
    return 0;
}
