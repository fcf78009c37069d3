/* Two pthreads that take turns: one starts with an argument of NULL, the other with another one. */
#ifndef BENCH_PLAYERS_H
#define BENCH_PLAYERS_H

#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static sem_t ball[2]; /* the first one begins at 1 */
static int turn;
static long rounds; /* how often each has its turn */

static void *cond_player(void *arg)
{
    int me = arg != NULL;
    pthread_mutex_lock(&lock);
    for (long i = 0; i < rounds; i++) {
        while (turn != me)
            pthread_cond_wait(&turned[me], &lock);
        turn = !me;
        pthread_cond_signal(&turned[!me]);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *sem_player(void *arg)
{
    int me = arg != NULL;
    for (long i = 0; i < rounds; i++) {
        sem_wait(&ball[me]);
        sem_post(&ball[!me]);
    }
    return NULL;
}

#endif
