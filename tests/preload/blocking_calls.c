// Proves: calls that wait in the kernel (flock, record locks, message queues, semaphores, FIFO
// opening) hold up their own thread only, also many at once, with the native answers; signals and
// cancellation end them as they do natively.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char dir[] = "/tmp/blocking.XXXXXX", file[64], fifo[64];
static int queue, sems;
static mqd_t mq;

static int open_file(void)
{
    int fd = open(file, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0);
    return fd;
}

static void *wants_flock(void *arg)
{
    int fd = open_file();
    CHECK(flock(fd, LOCK_EX) == 0 && flock(fd, LOCK_UN) == 0 && close(fd) == 0);
    return arg;
}

static void *wants_record(void *arg)
{
    int fd = open_file();
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    CHECK(fcntl(fd, F_OFD_SETLKW, &l) == 0 && close(fd) == 0);
    return arg;
}

static void *wants_message(void *arg)
{
    struct msgbuf b;
    CHECK(msgrcv(queue, &b, 1, 0, 0) == 1 && b.mtext[0] == 'm');
    CHECK(msgrcv(queue, &b, 1, 0, 040000 /* MSG_COPY */) == -1 && errno == EINVAL);
    return arg;
}

static void *wants_sem(void *arg)
{
    struct sembuf op = {.sem_op = -1};
    CHECK(semop(sems, &op, 1) == 0);
    return arg;
}

static void *wants_mq(void *arg)
{
    char b[16];
    unsigned priority;
    CHECK(mq_receive(mq, b, sizeof b, &priority) == 3 && memcmp(b, "abc", 3) == 0 && priority == 2);
    return arg;
}

static void *wants_peer(void *arg)
{
    char b[8];
    int fd = open(fifo, O_RDONLY);
    CHECK(fd >= 0 && read(fd, b, sizeof b) == 5 && memcmp(b, "hello", 5) == 0);
    CHECK(read(fd, b, sizeof b) == 0 && close(fd) == 0);
    return arg;
}

static void feed(int n, int held)
{
    struct msgbuf m = {.mtype = 1, .mtext = "m"};
    struct sembuf post = {.sem_op = 1};
    for (int i = 0; i < n; i++) {
        CHECK(msgsnd(queue, &m, 1, 0) == 0 && semop(sems, &post, 1) == 0);
        CHECK(mq_send(mq, "abc", 3, 2) == 0);
    }
    int fd = open(fifo, O_WRONLY);
    CHECK(fd >= 0 && write(fd, "hello", 5) == 5 && close(fd) == 0);
    CHECK(close(held) == 0);
}

static void many(void)
{
    static void *(*const bodies[])(void *) = {wants_flock, wants_record, wants_message,
                                              wants_sem,   wants_mq,     wants_peer};
    enum { EACH = 8, KINDS = sizeof bodies / sizeof *bodies };
    pthread_t t[KINDS][EACH];
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int held = open_file();
    CHECK(flock(held, LOCK_EX) == 0 && fcntl(held, F_OFD_SETLKW, &l) == 0);
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < (k == KINDS - 1 ? 1 : EACH); i++)
            CHECK(pthread_create(&t[k][i], NULL, bodies[k], NULL) == 0);
    usleep(50000);
    feed(EACH, held);
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < (k == KINDS - 1 ? 1 : EACH); i++)
            CHECK(pthread_join(t[k][i], NULL) == 0);
    puts("many ok");
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
    (void)sig;
    handled++;
}

static void *interrupted_flock(void *arg)
{
    int fd = open_file();
    errno = 0;
    CHECK(flock(fd, LOCK_EX) == -1 && errno == EINTR && handled == 1 && close(fd) == 0);
    return arg;
}

static void *interrupted_msgrcv(void *arg)
{
    struct msgbuf b;
    CHECK(msgrcv(queue, &b, 1, 0, 0) == -1 && errno == EINTR && handled == 2);
    return arg;
}

static void *interrupted_open(void *arg)
{
    CHECK(open(fifo, O_RDONLY) == -1 && errno == EINTR && handled == 3);
    return arg;
}

static void interrupt(void *(*body)(void *))
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, body, NULL) == 0);
    usleep(30000);
    CHECK(pthread_kill(t, SIGUSR1) == 0 && pthread_join(t, NULL) == 0);
}

static void signals(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    pthread_t t;
    int held = open_file();
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0 && flock(held, LOCK_EX) == 0);
    interrupt(interrupted_flock);
    interrupt(interrupted_msgrcv);
    interrupt(interrupted_open);
    act.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    CHECK(pthread_create(&t, NULL, wants_flock, NULL) == 0);
    usleep(30000);
    CHECK(pthread_kill(t, SIGUSR1) == 0);
    while (handled < 4)
        usleep(1000);
    CHECK(close(held) == 0 && pthread_join(t, NULL) == 0);
    puts("signals ok");
}

static void cancels(void)
{
    static void *(*const bodies[])(void *) = {wants_record, wants_message, wants_mq, wants_peer};
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int held = open_file();
    CHECK(fcntl(held, F_OFD_SETLKW, &l) == 0);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        pthread_t t;
        void *result;
        CHECK(pthread_create(&t, NULL, bodies[i], NULL) == 0);
        usleep(30000);
        CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0);
        CHECK(result == PTHREAD_CANCELED);
    }
    puts("cancels ok");
}

int main(void)
{
    char name[32];
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 16};
    snprintf(name, sizeof name, "/evy-%d", getpid());
    CHECK(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/file", dir);
    snprintf(fifo, sizeof fifo, "%s/fifo", dir);
    CHECK(mkfifo(fifo, 0600) == 0);
    CHECK((queue = msgget(IPC_PRIVATE, 0600)) >= 0 && (sems = semget(IPC_PRIVATE, 1, 0600)) >= 0);
    CHECK((mq = mq_open(name, O_RDWR | O_CREAT, 0600, &attr)) >= 0 && mq_unlink(name) == 0);
    many();
    signals();
    cancels();
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(sems, 0, IPC_RMID) == 0);
    CHECK(unlink(file) == 0 && unlink(fifo) == 0 && rmdir(dir) == 0);
    return 0;
}
