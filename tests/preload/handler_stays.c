// Proves: who computes in a signal handler keeps its kernel thread to the handler's end, whoever waits meanwhile.
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

static sem_t begun, posted;
static atomic_int same, stop;

static void on_signal(int sig)
{
    int tid = kernel_thread_id();
    (void)sig;
    for (int i = 0; i < 3; i++) {
        for (double end = now() + 0.1; now() < end;)
            ;
        CHECK(sem_post(&posted) == 0); /* a stranded one would leave here */
        same += kernel_thread_id() == tid;
    }
}

static void *is_signalled(void *arg)
{
    CHECK(sem_post(&begun) == 0);
    while (!stop)
        usleep(1000);
    return arg;
}

static void *ticks(void *arg)
{
    while (!stop)
        usleep(1000);
    return arg;
}

int main(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    CHECK(sem_init(&begun, 0, 0) == 0 && sem_init(&posted, 0, 0) == 0);
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    pthread_t t = spawn(is_signalled, NULL), ticker = spawn(ticks, NULL);
    CHECK(sem_wait(&begun) == 0 && pthread_kill(t, SIGUSR1) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(sem_wait(&posted) == 0);
    stop = 1;
    CHECK(pthread_join(t, NULL) == 0 && pthread_join(ticker, NULL) == 0);
    printf("%d of 3 on its own\n", same);
    return 0;
}
