// flags: -lrt -lanl
// Proves: timed queue calls, aio_suspend, lio_listio and gai_suspend wait for as long as they say, or until another
// thread of the hub brings what they wait for; a signal ends them.
#define _GNU_SOURCE
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static mqd_t queue;
static int pipe_fd[2];

static void *late(void *arg)
{
    usleep(30000);
    CHECK(mq_send(queue, "late", 4, 0) == 0);
    usleep(30000);
    CHECK(write(pipe_fd[1], "x", 1) == 1);
    return arg;
}

static void timed_queue(void)
{
    char b[16];
    struct timespec soon = ms_from_now(CLOCK_REALTIME, 40),
                    later = ms_from_now(CLOCK_REALTIME, 20000);
    double start = now();
    CHECK(mq_timedreceive(queue, b, sizeof b, NULL, &soon) == -1 && errno == ETIMEDOUT);
    CHECK(now() - start >= 0.035);
    pthread_t t = spawn(late, NULL);
    CHECK(mq_timedreceive(queue, b, sizeof b, NULL, &later) == 4 && memcmp(b, "late", 4) == 0);
    CHECK(mq_timedsend(queue, "1", 1, 0, &later) == 0 &&
          mq_timedsend(queue, "2", 1, 0, &later) == 0);
    soon = ms_from_now(CLOCK_REALTIME, 40);
    CHECK(mq_timedsend(queue, "3", 1, 0, &soon) == -1 && errno == ETIMEDOUT);
    char c = 0;
    struct aiocb read_one = {.aio_fildes = pipe_fd[0], .aio_buf = &c, .aio_nbytes = 1};
    const struct aiocb *list[] = {&read_one};
    CHECK(aio_read(&read_one) == 0);
    CHECK(aio_suspend(list, 1, NULL) == 0 && aio_error(&read_one) == 0 && c == 'x');
    CHECK(aio_return(&read_one) == 1 && pthread_join(t, NULL) == 0);
}

static void nothing(int sig)
{
    (void)sig;
}

static void *interrupts(void *main_thread)
{
    usleep(50000);
    CHECK(pthread_kill(*(pthread_t *)main_thread, SIGUSR1) == 0);
    return NULL;
}

static void lists(void)
{
    static char c;
    static struct aiocb read_one; /* goes on, into what libc forgot with the interrupted call */
    pthread_t self = pthread_self(), t;
    read_one = (struct aiocb){.aio_fildes = pipe_fd[0], .aio_buf = &c, .aio_nbytes = 1};
    struct aiocb64 zero = {.aio_fildes = open("/dev/zero", O_RDONLY),
                           .aio_buf = &c,
                           .aio_nbytes = 1,
                           .aio_lio_opcode = LIO_READ};
    struct aiocb *list[] = {&read_one};
    struct aiocb64 *list64[] = {&zero};
    struct sigaction act = {.sa_handler = nothing};
    read_one.aio_lio_opcode = LIO_READ;
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    t = spawn(interrupts, &self);
    CHECK(lio_listio(LIO_WAIT, list, 1, NULL) == -1 && errno == EINTR);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(lio_listio64(LIO_WAIT, list64, 1, NULL) == 0 && c == 0 && aio_return64(&zero) == 1);
    CHECK(close(zero.aio_fildes) == 0);
}

static void *waits(void *arg)
{
    struct aiocb64 done = {
        .aio_fildes = open("/dev/zero", O_RDONLY), .aio_buf = arg, .aio_nbytes = 1};
    const struct aiocb64 *list[] = {&done};
    CHECK(aio_read64(&done) == 0 && aio_suspend64(list, 1, NULL) == 0);
    CHECK(aio_error64(&done) == 0 && aio_return64(&done) == 1);
    struct gaicb ask = {.ar_name = "127.0.0.1"};
    struct gaicb *asks[] = {&ask};
    CHECK(getaddrinfo_a(GAI_NOWAIT, asks, 1, NULL) == 0);
    int r;
    while ((r = gai_suspend((const struct gaicb *const *)asks, 1, NULL)) != 0 && r != EAI_ALLDONE)
        CHECK(r == EAI_INTR);
    CHECK(gai_error(&ask) == 0);
    freeaddrinfo(ask.ar_result);
    return NULL;
}

int main(void)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 16};
    char name[64], scratch[4];
    pthread_t t[4];
    snprintf(name, sizeof name, "/ipc_waits.%d", (int)getpid());
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    if (queue == (mqd_t)-1 && errno == ENOSYS) {
        printf("waits ok\n");
        return 0;
    }
    CHECK(queue != (mqd_t)-1 && mq_unlink(name) == 0 && pipe(pipe_fd) == 0);
    timed_queue();
    lists();
    for (int i = 0; i < 4; i++)
        t[i] = spawn(waits, &scratch[i]);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("waits ok\n");
    return 0;
}
