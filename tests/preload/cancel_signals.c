// Proves: cleanup handlers of a thread that was cancelled in poll, select, ppoll, epoll_wait, recv, sem_wait,
// pthread_cond_wait or sigsuspend get their signals at once, as any code does; with the call's mask where it has one.
#define _GNU_SOURCE
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "check.h"

static int pair[2], epoll;
static sem_t never;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile sig_atomic_t handled;
static atomic_int cleaning;

static void on_signal(int sig)
{
    (void)sig;
    handled++;
}

static void clean(void *name)
{
    double start = now();
    atomic_store(&cleaning, 1);
    while (!handled && now() < start + 2)
        ;
    CHECK(handled);
    printf("%s: handled in cleanup\n", (char *)name);
}

static void by_poll(void)
{
    struct pollfd p = {.fd = pair[0], .events = POLLIN};
    poll(&p, 1, -1);
}

static void by_ppoll(void)
{
    struct pollfd p = {.fd = pair[0], .events = POLLIN};
    sigset_t none;
    sigemptyset(&none);
    ppoll(&p, 1, NULL, &none);
}

static void by_select(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    select(pair[0] + 1, &set, NULL, NULL, NULL);
}

static void by_epoll(void)
{
    struct epoll_event e;
    epoll_wait(epoll, &e, 1, -1);
}

static void by_recv(void)
{
    char c;
    recv(pair[0], &c, 1, 0);
}

static void by_sem(void)
{
    sem_wait(&never);
}

static void by_cond(void)
{
    pthread_mutex_lock(&lock);
    pthread_cond_wait(&cond, &lock);
}

static void by_sigsuspend(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (;;)
        sigsuspend(&set);
}

static const struct way {
    char *name;
    void (*block)(void);
} ways[] = {{"poll", by_poll},
            {"ppoll", by_ppoll},
            {"select", by_select},
            {"epoll_wait", by_epoll},
            {"recv", by_recv},
            {"sem_wait", by_sem},
            {"pthread_cond_wait", by_cond},
            {"sigsuspend", by_sigsuspend}};

static void *body(void *arg)
{
    const struct way *way = arg;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if (way->block == by_sigsuspend)
        CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    pthread_cleanup_push(clean, way->name);
    way->block();
    pthread_cleanup_pop(0);
    return NULL;
}

/* A signal that only the wait lets in tells that it has begun. */
static void knock(pthread_t t)
{
    CHECK(pthread_kill(t, SIGUSR1) == 0);
    while (!handled)
        usleep(100);
    usleep(20000);
    handled = 0;
}

int main(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    void *result;
    signal(SIGUSR1, on_signal);
    CHECK(sem_init(&never, 0, 0) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK((epoll = epoll_create1(0)) >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &e) == 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        pthread_t t = spawn(body, (void *)&ways[i]);
        handled = 0;
        atomic_store(&cleaning, 0);
        usleep(2000);
        if (ways[i].block == by_sigsuspend)
            knock(t);
        CHECK(pthread_cancel(t) == 0);
        while (!atomic_load(&cleaning))
            usleep(100);
        CHECK(pthread_kill(t, SIGUSR1) == 0 && pthread_join(t, &result) == 0 &&
              result == PTHREAD_CANCELED);
    }
    return 0;
}
