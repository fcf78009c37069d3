/*
 * Two threads that hand a turn to each other, waiting with a limit that never runs out or with none.
 *
 *   timed_waits cond|sem|socket ROUNDS LIMIT     LIMIT in seconds, 0: none
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;
static sem_t sems[2];
static int ends[2];
static int rounds, limit;

static struct timespec until(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += limit;
    return at;
}

static void by_cond(int me)
{
    struct timespec at = until();
    pthread_mutex_lock(&lock);
    while (turn != me)
        limit ? pthread_cond_timedwait(&turned, &lock, &at) : pthread_cond_wait(&turned, &lock);
    turn = !me;
    pthread_cond_signal(&turned);
    pthread_mutex_unlock(&lock);
}

static void by_sem(int me)
{
    struct timespec at = until();
    limit ? sem_timedwait(&sems[me], &at) : sem_wait(&sems[me]);
    sem_post(&sems[!me]);
}

static void by_socket(int me)
{
    char c;
    if (recv(ends[me], &c, 1, 0) != 1 || send(ends[me], &c, 1, 0) != 1)
        exit(1);
}

static void (*take_turn)(int);

static void *player(void *arg)
{
    for (int i = 0; i < rounds; i++)
        take_turn(arg != NULL);
    return NULL;
}

static void prepare(const char *how)
{
    struct timeval most = {.tv_sec = limit};
    take_turn = !strcmp(how, "cond") ? by_cond : !strcmp(how, "sem") ? by_sem : by_socket;
    sem_init(&sems[0], 0, 1);
    sem_init(&sems[1], 0, 0);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || send(ends[1], "x", 1, 0) != 1)
        exit(1);
    for (int i = 0; i < 2 && limit; i++)
        setsockopt(ends[i], SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
}

int main(int argc, char **argv)
{
    pthread_t other;
    if (argc != 4)
        return 2;
    rounds = atoi(argv[2]);
    limit = atoi(argv[3]);
    prepare(argv[1]);
    if (pthread_create(&other, NULL, player, &turn))
        return 1;
    player(NULL);
    pthread_join(other, NULL);
    return 0;
}
