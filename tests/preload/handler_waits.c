/* A handler interrupts a thread's wait and waits itself, as collectors' do that stop the world by signals. What the
   thread waits for comes about meanwhile: once the handler is done its wait is over. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_t sleeper;
static sem_t about, inside;
static int go[2], finish[2], ready;

static void handler(int sig)
{
    char c;
    (void)sig;
    sem_post(&inside);
    while (read(go[0], &c, 1) != 1)
        ;
}

static void *sleeps(void *arg)
{
    char c;
    while (read(finish[0], &c, 1) != 1)
        ;
    return arg;
}

static void wait_cond(void)
{
    pthread_mutex_lock(&mutex);
    sem_post(&about);
    while (!ready)
        pthread_cond_wait(&cond, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_mutex(void)
{
    sem_post(&about);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_rwlock(void)
{
    sem_post(&about);
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
}

static void wait_barrier(void)
{
    sem_post(&about);
    pthread_barrier_wait(&barrier);
}

static void wait_join(void)
{
    sem_post(&about);
    pthread_join(sleeper, NULL);
}

static void take_mutex(void)
{
    pthread_mutex_lock(&mutex);
}

static void drop_mutex(void)
{
    pthread_mutex_unlock(&mutex);
}

static void take_rwlock(void)
{
    pthread_rwlock_wrlock(&rwlock);
}

static void drop_rwlock(void)
{
    pthread_rwlock_unlock(&rwlock);
}

static void signal_cond(void)
{
    pthread_mutex_lock(&mutex);
    ready = 1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
}

static void reach_barrier(void)
{
    pthread_barrier_wait(&barrier);
}

static void make_sleeper(void)
{
    pthread_create(&sleeper, NULL, sleeps, NULL);
}

static void end_sleeper(void)
{
    struct timespec ts = {0, 50000000};
    if (write(finish[1], "x", 1) != 1)
        printf("write\n");
    nanosleep(&ts, NULL); /* it ends while the handler still waits */
}

static void nothing(void) {}

static const struct kind {
    const char *name;
    void (*before)(void), (*wait)(void), (*come_about)(void);
} kinds[] = {
    {"cond", nothing, wait_cond, signal_cond},
    {"mutex", take_mutex, wait_mutex, drop_mutex},
    {"rwlock", take_rwlock, wait_rwlock, drop_rwlock},
    {"barrier", nothing, wait_barrier, reach_barrier},
    {"join", make_sleeper, wait_join, end_sleeper},
};

static void *body(void *arg)
{
    ((const struct kind *)arg)->wait();
    return NULL;
}

static void interrupt(pthread_t t)
{
    struct timespec ts = {0, 20000000};
    sem_wait(&about);
    nanosleep(&ts, NULL); /* until it waits */
    pthread_kill(t, SIGUSR1);
    sem_wait(&inside);
    nanosleep(&ts, NULL);
}

int main(void)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, NULL);
    sem_init(&about, 0, 0);
    sem_init(&inside, 0, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    if (pipe(go) || pipe(finish))
        return 1;
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        pthread_t t;
        kinds[i].before();
        pthread_create(&t, NULL, body, (void *)&kinds[i]);
        interrupt(t);
        kinds[i].come_about();
        if (write(go[1], "x", 1) != 1)
            return 1;
        pthread_join(t, NULL);
        printf("%s\n", kinds[i].name);
        fflush(stdout);
    }
    return 0;
}
