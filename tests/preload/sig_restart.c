// Proves: which waits a handler with SA_RESTART lets go on and which end with EINTR whatever it says; without it all end.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

static int fds[2], pipes[2], event, poller, queue, semaphores, connected;
static sem_t sem;
static atomic_int state; /* 1: about to wait, 2: over */
static long result;
static int error;

static long do_wait(int call)
{
    char c;
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    struct timespec t = {10, 0}, abs;
    struct timeval tv = {10, 0};
    struct epoll_event e;
    struct sembuf down = {0, -1, 0};
    struct {
        long type;
        char text[8];
    } m;
    fd_set set;
    sigset_t none;
    sigemptyset(&none);
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    clock_gettime(CLOCK_REALTIME, &abs);
    abs.tv_sec += 10;
    switch (call) {
    case 0:
        return read(pipes[0], &c, 1);
    case 1:
        return recv(fds[0], &c, 1, 0);
    case 2:
        return poll(&p, 1, 10000);
    case 3:
        return ppoll(&p, 1, &t, NULL);
    case 4:
        return select(fds[0] + 1, &set, NULL, NULL, &tv);
    case 5:
        return pselect(fds[0] + 1, &set, NULL, NULL, &t, NULL);
    case 6:
        return epoll_wait(poller, &e, 1, 10000);
    case 7:
        return nanosleep(&t, NULL);
    case 8: {
        int r = clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
        errno = r;
        return r ? -1 : 0;
    }
    case 9:
        return sem_wait(&sem);
    case 10:
        return sem_timedwait(&sem, &abs);
    case 11:
        return pause();
    case 12:
        return sigsuspend(&none);
    case 13: {
        sigset_t usr2;
        sigemptyset(&usr2);
        sigaddset(&usr2, SIGUSR2);
        return sigtimedwait(&usr2, NULL, &t);
    }
    case 14:
        return msgrcv(queue, &m, 8, 0, 0);
    case 15:
        return semop(semaphores, &down, 1);
    case 16: {
        eventfd_t v;
        return read(event, &v, sizeof v);
    }
    case 17:
        return recv(connected, &c, 1, 0); /* SO_RCVTIMEO */
    case 18:
        return epoll_pwait(poller, &e, 1, 10000, NULL);
    case 19:
        return semtimedop(semaphores, &down, 1, &t);
    default:
        return usleep(900000);
    }
}

/* What ends a wait that goes on. */
static void feed(int call)
{
    char c = 1;
    struct {
        long type;
        char text[8];
    } m = {1, "x"};
    struct sembuf up = {0, 1, 0};
    switch (call) {
    case 0:
        CHECK(write(pipes[1], &c, 1) == 1);
        break;
    case 9:
    case 10:
        sem_post(&sem);
        break;
    case 14:
        CHECK(msgsnd(queue, &m, 8, 0) == 0);
        break;
    case 15:
        CHECK(semop(semaphores, &up, 1) == 0);
        break;
    case 16:
        CHECK(eventfd_write(event, 1) == 0);
        break;
    default:
        CHECK(send(fds[1], &c, 1, 0) == 1);
    }
}

static void drain(void)
{
    char c;
    while (recv(fds[0], &c, 1, MSG_DONTWAIT) == 1)
        ;
}

static void handler(int sig)
{
    (void)sig;
}

static void *waits(void *call)
{
    state = 1;
    result = do_wait((int)(long)call);
    error = errno;
    state = 2;
    return NULL;
}

static void try(int call, int flags)
{
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags};
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    state = 0;
    pthread_t t = spawn(waits, (void *)(long)call);
    while (state == 0)
        usleep(500);
    usleep(10000);
    pthread_kill(t, SIGUSR1);
    for (int i = 0; i < 100 && state != 2; i++)
        usleep(1000);
    int over = state == 2;
    if (!over)
        feed(call);
    pthread_join(t, NULL);
    printf(" %s", over ? result == -1 && error == EINTR ? "EINTR" : "ended" : "goes on");
    drain();
}

int main(void)
{
    static const char *const names[] = {"read pipe",   "recv",          "poll",
                                        "ppoll",       "select",        "pselect",
                                        "epoll_wait",  "nanosleep",     "clock_nanosleep",
                                        "sem_wait",    "sem_timedwait", "pause",
                                        "sigsuspend",  "sigtimedwait",  "msgrcv",
                                        "semop",       "read eventfd",  "recv with timeout",
                                        "epoll_pwait", "semtimedop",    "usleep"};
    struct epoll_event e = {.events = EPOLLIN};
    struct timeval tv = {0, 500000};
    int other[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && pipe(pipes) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
    connected = other[0];
    setsockopt(connected, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    event = eventfd(0, 0);
    poller = epoll_create1(0);
    CHECK(epoll_ctl(poller, EPOLL_CTL_ADD, fds[0], &e) == 0);
    queue = msgget(IPC_PRIVATE, 0600);
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    sem_init(&sem, 0, 0);
    for (int call = 0; call < (int)(sizeof names / sizeof *names); call++) {
        printf("%s:", names[call]);
        try(call, 0);
        try(call, SA_RESTART);
        puts("");
        fflush(stdout);
    }
    msgctl(queue, IPC_RMID, NULL);
    semctl(semaphores, 0, IPC_RMID);
    return 0;
}
