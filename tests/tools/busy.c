/* Two threads that take turns, beside one that computes for 100 ms. */
#include <pthread.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changes = PTHREAD_COND_INITIALIZER;
static long turn;

static void *takes_turns(void *arg)
{
    long me = (long)arg;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < 100; i++) {
        while (turn != me)
            pthread_cond_wait(&turn_changes, &lock);
        turn = !me;
        pthread_cond_broadcast(&turn_changes);
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *computes(void *arg)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 100);
    return arg;
}

int main(void)
{
    pthread_t threads[3];
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, takes_turns, (void *)i);
    pthread_create(&threads[2], NULL, computes, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 3;
}
