// Proves: with other threads alive, SIGALRM without SA_RESTART ends a blocking read, recv, accept,
// poll, sem_wait and nanosleep of main with EINTR; with SA_RESTART reads go on and poll still
// ends.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t alarms;
static int p[2], s[2];

static void handler(int sig)
{
    (void)sig;
    alarms = alarms + 1;
}

static void install(int flags)
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = flags};
    CHECK(sigaction(SIGALRM, &a, NULL) == 0);
}

static void in_ms(long ms)
{
    struct itimerval t = {{0, 0}, {0, ms * 1000}};
    CHECK(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

static void *background(void *arg) // signals are main's: blocked here
{
    for (;;)
        usleep(1000);
    return arg;
}

static void *feeder(void *arg)
{
    usleep(120000);
    CHECK(write(p[1], "late", 4) == 4);
    return arg;
}

#define INTERRUPTED(call)                                                                          \
    do {                                                                                           \
        int before = alarms;                                                                       \
        in_ms(30);                                                                                 \
        CHECK((call) == -1 && errno == EINTR);                                                     \
        CHECK(alarms == before + 1);                                                               \
    } while (0)

int main(void)
{
    pthread_t t;
    sigset_t set, old;
    sem_t sem;
    char b[8];
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    CHECK(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && sem_init(&sem, 0, 0) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
    for (int i = 0; i < 5; i++)
        CHECK(pthread_create(&t, NULL, background, NULL) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    install(0);
    int l = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(listen(l, 1) == 0);
    struct pollfd f = {p[0], POLLIN, 0};
    struct timespec ten = {10, 0}, rest;
    INTERRUPTED(read(p[0], b, 1));
    INTERRUPTED(recv(s[0], b, 1, 0));
    INTERRUPTED(accept(l, NULL, NULL));
    INTERRUPTED(poll(&f, 1, -1));
    INTERRUPTED(sem_wait(&sem));
    INTERRUPTED(nanosleep(&ten, &rest));
    CHECK(rest.tv_sec == 9 && rest.tv_nsec < 975000000);
    INTERRUPTED(pause());
    INTERRUPTED(usleep(900000));
    double start = now();
    in_ms(30);
    unsigned left = sleep(10);
    CHECK(left >= 9 && left <= 10 && now() - start < 5);
    install(SA_RESTART);
    INTERRUPTED(poll(&f, 1, -1)); // never restarted
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(pthread_create(&t, NULL, feeder, NULL) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    int before = alarms;
    in_ms(30);
    CHECK(read(p[0], b, 8) == 4 && memcmp(b, "late", 4) == 0);
    CHECK(alarms == before + 1);
    CHECK(pthread_join(t, NULL) == 0);
    printf("alarms %d\n", (int)alarms);
    return 0;
}
