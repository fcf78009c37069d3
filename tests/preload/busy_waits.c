// Proves: who asks again and again by a call that does not wait, or has waited long enough already, lets the thread run
// that it waits for: on one processor, too, without being stopped for it each time.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

#define ROUNDS 40
static const double MOST =
    0.3; /* seconds of the processor for each kind: a stop costs libevy 10 ms and more */

static atomic_bool asked, over;
static sem_t go, never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int ends[2], epfd;
static unsigned word;
static const struct timespec long_ago = {0, 1};

static void *answers(void *arg)
{
    for (;;) {
        CHECK(sem_wait(&go) == 0);
        if (over)
            return arg;
        CHECK(pthread_mutex_lock(&mutex) == 0);
        asked = false;
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
}

static void late_cond(void)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
    CHECK(pthread_cond_timedwait(&cond, &mutex, &long_ago) == ETIMEDOUT);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

static void late_sem(void)
{
    CHECK(sem_timedwait(&never, &long_ago) == -1 && errno == ETIMEDOUT);
}

static void late_mutex(void)
{
    CHECK(pthread_mutex_timedlock(&held, &long_ago) == ETIMEDOUT);
}

static void late_rwlock(void)
{
    CHECK(pthread_rwlock_timedwrlock(&rwlock, &long_ago) == ETIMEDOUT);
}

static void late_futex(void)
{
    CHECK(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &long_ago, NULL, -1) == -1);
    CHECK(errno == ETIMEDOUT);
}

static void late_sleep(void)
{
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &long_ago, NULL) == 0);
}

static void no_sleep(void)
{
    CHECK(usleep(0) == 0);
}

static void polls(void)
{
    struct pollfd p = {ends[0], POLLIN, 0};
    CHECK(poll(&p, 1, 0) == 0);
}

static void polls_nothing(void)
{
    CHECK(poll(NULL, 0, 0) == 0);
}

static void selects(void)
{
    fd_set set;
    struct timeval zero = {0, 0};
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    CHECK(select(ends[0] + 1, &set, NULL, NULL, &zero) == 0);
}

static void epolls(void)
{
    struct epoll_event event;
    CHECK(epoll_wait(epfd, &event, 1, 0) == 0);
}

static void receives(void)
{
    char c;
    CHECK(recv(ends[0], &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
}

static void waits_for_signal(void)
{
    sigset_t set;
    struct timespec zero = {0, 0};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigtimedwait(&set, NULL, &zero) == -1 && errno == EAGAIN);
}

static void waits_for_child(void)
{
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void tries_mutex(void)
{
    CHECK(pthread_mutex_trylock(&held) == EBUSY);
}

static void tries_sem(void)
{
    CHECK(sem_trywait(&never) == -1 && errno == EAGAIN);
}

static double cpu_seconds(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void try(const char *name, void (*ask)(void))
{
    double before = cpu_seconds();
    for (int i = 0; i < ROUNDS; i++) {
        asked = true;
        CHECK(sem_post(&go) == 0);
        while (asked)
            ask();
    }
    double used = cpu_seconds() - before;
    if (used < MOST)
        printf("%s: answered\n", name);
    else
        printf("%s: took %.2f s\n", name, used);
}

int main(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(sem_init(&go, 0, 0) == 0 && sem_init(&never, 0, 0) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK((epfd = epoll_create1(0)) >= 0);
    CHECK(epoll_ctl(epfd, EPOLL_CTL_ADD, ends[0], &event) == 0);
    CHECK(pthread_mutex_lock(&held) == 0 && pthread_rwlock_rdlock(&rwlock) == 0);
    pthread_t t = spawn(answers, NULL);
    try("condition", late_cond);
    try("semaphore", late_sem);
    try("mutex", late_mutex);
    try("rwlock", late_rwlock);
    try("futex", late_futex);
    try("sleep", late_sleep);
    try("sleep of 0", no_sleep);
    try("poll", polls);
    try("poll of nothing", polls_nothing);
    try("select", selects);
    try("epoll", epolls);
    try("recv", receives);
    try("sigtimedwait", waits_for_signal);
    try("waitpid", waits_for_child);
    try("trylock", tries_mutex);
    try("trywait", tries_sem);
    over = true;
    CHECK(sem_post(&go) == 0);
    pthread_join(t, NULL);
    return 0;
}
