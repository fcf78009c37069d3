// flags: -lrt
// Proves: POSIX timers of every kind, setitimer and alarm reach threads as natively; queued values come in order, lowest
// real-time signal first; SA_RESETHAND, SA_NODEFER and sa_mask hold; a handler may leave a blocked call by siglongjmp.
#define _GNU_SOURCE
#include "check.h"

#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static char order[200];
static volatile sig_atomic_t nested, deepest;
static sigjmp_buf out;
static sem_t posted, never;
static atomic_int expired;

static void note(int sig, siginfo_t *info, void *context)
{
    size_t used = strlen(order);
    (void)context;
    snprintf(order + used, sizeof order - used, " %d:%d", sig - SIGRTMIN, info->si_value.sival_int);
}

static void on(int sig, void (*fn)(int, siginfo_t *, void *), int flags, int blocks)
{
    struct sigaction act = {.sa_sigaction = fn, .sa_flags = flags | SA_SIGINFO};
    if (blocks)
        sigaddset(&act.sa_mask, blocks);
    CHECK(sigaction(sig, &act, NULL) == 0);
}

static void queues(void)
{
    sigset_t set, old;
    sigfillset(&set);
    for (int i = 0; i < 4; i++)
        on(SIGRTMIN + i, note, 0, 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &set, &old) == 0);
    *order = 0;
    for (int i = 0; i < 12; i++)
        CHECK(pthread_sigqueue(pthread_self(), SIGRTMIN + (i * 7) % 4,
                               (union sigval){.sival_int = i}) == 0);
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1 && info.si_value.sival_int == 3 &&
          info.si_code == SI_QUEUE);
    CHECK(info.si_pid == getpid() && info.si_uid == getuid());
    for (int i = 0; i < 4; i++) {
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN + i);
        CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    }
    printf("queued%s\n", order);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}

static void nest(int sig, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    deepest = ++nested > deepest ? nested : deepest;
    if (nested < 3)
        pthread_kill(pthread_self(), sig);
    nested--;
}

static void flags(void)
{
    struct sigaction now_set;
    nested = deepest = 0;
    on(SIGUSR1, nest, SA_NODEFER, 0);
    pthread_kill(pthread_self(), SIGUSR1);
    printf("nodefer %d", deepest);
    deepest = 0;
    on(SIGUSR1, nest, SA_RESETHAND | SA_NODEFER, 0);
    CHECK(sigaction(SIGUSR1, NULL, &now_set) == 0 && now_set.sa_sigaction == nest);
    nested = 5; /* not once more: the default action would end us */
    pthread_kill(pthread_self(), SIGUSR1);
    CHECK(sigaction(SIGUSR1, NULL, &now_set) == 0 && now_set.sa_handler == SIG_DFL);
    puts(" reset");
}

static void leave(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info, (void)context;
    siglongjmp(out, 1);
}

static pthread_t leaver;

static void *interrupts(void *arg)
{
    usleep(10000);
    pthread_kill(leaver, SIGUSR2);
    return arg;
}

static void leaves(void)
{
    int fds[2];
    char c;
    CHECK(pipe(fds) == 0);
    leaver = pthread_self();
    on(SIGUSR2, leave, 0, 0);
    for (volatile int i = 0; i < 4; i++) {
        pthread_t t = spawn(interrupts, NULL);
        if (sigsetjmp(out, 1) == 0) {
            i == 0   ? (void)read(fds[0], &c, 1)
            : i == 1 ? (void)sleep(10)
            : i == 2 ? (void)pause()
                     : (void)sem_wait(&never);
            CHECK(!"came back");
        }
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, NULL, &mask);
        CHECK(!sigismember(&mask, SIGUSR2));
        pthread_join(t, NULL);
    }
    close(fds[0]);
    close(fds[1]);
    puts("left");
}

static void fn(union sigval value)
{
    expired += value.sival_int;
    sem_post(&posted);
}

static void posts(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    expired += info->si_value.sival_int;
    sem_post(&posted);
}

static volatile sig_atomic_t rung;

static void rings(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info, (void)context;
    rung = 1;
}

static void wait_posts(int n)
{
    while (n)
        n -= sem_wait(&posted) == 0;
}

static void timers(void)
{
    struct itimerspec soon = {.it_value = {0, 5000000}, .it_interval = {0, 2000000}}, left;
    struct sigevent e = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 5, .sigev_value.sival_int = 1};
    timer_t t[3];
    expired = 0;
    on(SIGRTMIN + 5, posts, SA_RESTART, 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &t[0]) == 0);
    e = (struct sigevent){
        .sigev_notify = SIGEV_THREAD, .sigev_notify_function = fn, .sigev_value.sival_int = 100};
    CHECK(timer_create(CLOCK_REALTIME, &e, &t[1]) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(timer_settime(t[i], 0, &soon, NULL) == 0);
        wait_posts(3);
        CHECK(timer_gettime(t[i], &left) == 0 && left.it_interval.tv_nsec == 2000000);
        CHECK(timer_delete(t[i]) == 0);
        usleep(10000);
        while (sem_trywait(&posted) == 0)
            ;
    }
    CHECK(expired % 100 >= 3 && expired / 100 >= 3);
    struct itimerval it = {.it_value = {0, 5000}}, rest;
    on(SIGALRM, rings, 0, 0);
    rung = 0;
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    while (!rung) /* posted may still grow: a timer's last threads */
        usleep(1000);
    CHECK(getitimer(ITIMER_REAL, &rest) == 0 && rest.it_value.tv_usec == 0);
    alarm(50);
    CHECK(alarm(0) >= 49);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 6);
    sigprocmask(SIG_BLOCK, &set, NULL);
    e = (struct sigevent){
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 6, .sigev_value.sival_int = 9};
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &t[2]) == 0);
    soon.it_interval.tv_nsec = 0;
    CHECK(timer_settime(t[2], 0, &soon, NULL) == 0);
    siginfo_t info;
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 6 && info.si_code == SI_TIMER &&
          info.si_value.sival_int == 9);
    timer_delete(t[2]);
    puts("timers");
}

static atomic_int own_tid_told;

static void tells_thread(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info, (void)context;
    own_tid_told = pthread_equal(pthread_self(), leaver) ? 1 : 2;
}

static void thread_timer(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 7};
    struct itimerspec soon = {.it_value = {0, 5000000}};
    timer_t t;
    leaver = pthread_self();
    own_tid_told = 0;
    on(SIGRTMIN + 7, tells_thread, 0, 0);
    e.sigev_notify_thread_id = (int)syscall(SYS_gettid);
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &t) == 0);
    CHECK(timer_settime(t, 0, &soon, NULL) == 0);
    CHECK(usleep(500000) == -1 && errno == EINTR);
    printf("thread id: %s\n", own_tid_told == 1 ? "own" : "another");
    timer_delete(t);
}

static void *all(void *arg)
{
    queues();
    flags();
    leaves();
    timers();
    thread_timer();
    return arg;
}

enum { WAITERS = 3, EXPIRIES = 4 };

static atomic_int ids[WAITERS];

/* Gets what is meant for it, and nothing of the others'. */
static void *waits(void *arg)
{
    int me = *(int *)arg;
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 8);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    atomic_store(&ids[me], (int)syscall(SYS_gettid));
    for (int i = 0; i < EXPIRIES; i++)
        CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 8 && info.si_code == SI_TIMER &&
              info.si_value.sival_int == me);
    return NULL;
}

static void timers_of_others(void)
{
    struct itimerspec often = {.it_value = {0, 3000000}, .it_interval = {0, 3000000}};
    int numbers[WAITERS];
    pthread_t threads[WAITERS];
    timer_t t[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        numbers[i] = i;
        threads[i] = spawn(waits, &numbers[i]);
    }
    for (int i = 0; i < WAITERS; i++) {
        while (atomic_load(&ids[i]) == 0)
            usleep(1000);
        struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = SIGRTMIN + 8,
                             .sigev_value.sival_int = i};
        e.sigev_notify_thread_id = ids[i];
        CHECK(timer_create(CLOCK_MONOTONIC, &e, &t[i]) == 0);
        CHECK(timer_settime(t[i], 0, &often, NULL) == 0);
    }
    for (int i = 0; i < WAITERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(timer_delete(t[i]) == 0);
        CHECK(timer_delete(t[i]) == -1 && errno == EINVAL);
    }
    struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 8};
    e.sigev_notify_thread_id = ids[0];
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &t[0]) == -1 && errno == EINVAL);
    puts("each its own");
}

int main(void)
{
    sem_init(&posted, 0, 0);
    sem_init(&never, 0, 0);
    spawn(sleep_unsignalled, NULL);
    all(NULL);
    pthread_join(spawn(all, NULL), NULL);
    timers_of_others();
    return 0;
}
