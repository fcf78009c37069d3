// flags: -lrt
// Proves: a thread's CPU clock tells what that thread has used, however many share a processor and whoever asks: by
// CLOCK_THREAD_CPUTIME_ID, pthread_getcpuclockid, syscall() and getrusage; timers on it fire by it; sleeps on it end by it.
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#define MS 1000000LL

static atomic_int measured; /* threads that know their clocks */
static sem_t go, leave;     /* two: who is quick must not take what is meant for who is slow */
static atomic_int fired;
static int64_t fired_at;

static int64_t ns(struct timespec t)
{
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    CHECK(clock_gettime(clock, &t) == 0);
    return ns(t);
}

static int64_t own(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static int64_t usage(void)
{
    struct rusage u;
    CHECK(getrusage(RUSAGE_THREAD, &u) == 0);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000LL +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000LL;
}

/* Computes for so long by its own clock, asking now and then. */
static void use(int64_t time)
{
    for (int64_t begin = own(); own() - begin < time;)
        for (volatile int i = 0; i < 20000; i++)
            ;
}

/* Without any call. */
static void spin(long rounds)
{
    for (volatile long i = 0; i < rounds; i++)
        ;
}

struct worker {
    pthread_t thread;
    clockid_t clock;
    int64_t share; /* what it is to use */
};

static void *works(void *arg)
{
    struct worker *w = arg;
    struct timespec t;
    CHECK(pthread_getcpuclockid(pthread_self(), &w->clock) == 0);
    int64_t begin = read_clock(w->clock);
    CHECK(begin < 20 * MS);
    measured++;
    CHECK(sem_wait(&go) == 0);
    use(w->share);
    int64_t used = own() - begin;
    CHECK(used >= w->share);
    CHECK(read_clock(w->clock) - begin >= used);
    CHECK(syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t) == 0 && ns(t) - begin >= used);
    usleep(100000); /* takes no processor, nor does who works meanwhile count here */
    CHECK(own() - begin < used + 40 * MS);
    CHECK(usage() >= w->share / 2);
    CHECK(clock_getres(w->clock, &t) == 0 && ns(t) > 0 && ns(t) <= MS);
    CHECK(clock_nanosleep(w->clock, 0, &t, NULL) == EINVAL);
    measured++;
    CHECK(sem_wait(&leave) == 0);
    return NULL;
}

static void await(int n)
{
    while (measured < n)
        usleep(1000);
}

static void post(sem_t *sem, int n)
{
    while (n--)
        CHECK(sem_post(sem) == 0);
}

/* Six at a time: each has used its share, and they know of each other. */
static void shares(void)
{
    struct worker w[6];
    int64_t before = own(), all = 0, process = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    CHECK(sem_init(&go, 0, 0) == 0 && sem_init(&leave, 0, 0) == 0);
    for (int i = 0; i < 6; i++) {
        w[i].share = (10 + 10 * i) * MS;
        w[i].thread = spawn(works, &w[i]);
    }
    await(6);
    post(&go, 6);
    await(12);
    process = read_clock(CLOCK_PROCESS_CPUTIME_ID) - process;
    for (int i = 0; i < 6; i++) {
        clockid_t clock;
        CHECK(pthread_getcpuclockid(w[i].thread, &clock) == 0 && clock == w[i].clock);
        int64_t used = read_clock(clock);
        CHECK(used >= w[i].share);
        all += used;
    }
    CHECK(all <= process + 6 * 20 * MS);
    CHECK(own() - before < 100 * MS); /* it has only waited */
    post(&leave, 6);
    for (int i = 0; i < 6; i++)
        CHECK(pthread_join(w[i].thread, NULL) == 0);
    puts("shares");
}

static atomic_bool stop;

static void *spins(void *arg)
{
    while (!stop)
        spin(100000);
    return arg;
}

/* Of one that never enters the runtime, from outside; asleep until that clock says so. */
static void others(void)
{
    clockid_t clock;
    struct timespec ms30 = {.tv_nsec = 30 * MS}, left = {0};
    pthread_t t = spawn(spins, NULL);
    CHECK(pthread_getcpuclockid(t, &clock) == 0);
    int64_t begin = read_clock(clock), last = begin;
    CHECK(clock_nanosleep(clock, 0, &ms30, &left) == 0);
    CHECK(read_clock(clock) - begin >= 30 * MS);
    for (int i = 0; i < 2000; i++) {
        int64_t at = read_clock(clock);
        CHECK(at >= last);
        last = at;
    }
    ms30.tv_nsec = (last + 20 * MS) % 1000000000;
    ms30.tv_sec = (last + 20 * MS) / 1000000000;
    CHECK(clock_nanosleep(clock, TIMER_ABSTIME, &ms30, NULL) == 0);
    CHECK(read_clock(clock) >= last + 20 * MS);
    stop = true;
    CHECK(pthread_join(t, NULL) == 0);
    /* The kernel tells who joins before it lets go of the thread. */
    while (clock_gettime(clock, &left) == 0)
        usleep(100);
    CHECK(errno == EINVAL);
    puts("others");
}

/* Before anybody has asked it had computed for long; the clock knows. */
static void *asks_late(void *arg)
{
    int64_t wall = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    while (read_clock(CLOCK_PROCESS_CPUTIME_ID) - wall < 100 * MS)
        spin(100000);
    CHECK(own() >= 50 * MS);
    return arg;
}

static void fires(int sig)
{
    (void)sig;
    fired_at = own();
    fired++;
}

/* A timer on one's own clock, relative and absolute, while others compute. */
static void *timed(void *arg)
{
    clockid_t clock;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec when = {.it_value = {.tv_nsec = 30 * MS}};
    sigset_t usr1;
    CHECK(pthread_getcpuclockid(pthread_self(), &clock) == 0);
    use(20 * MS);
    CHECK(timer_create(clock, &event, &timer) == 0);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL) == 0);
    int64_t begin = own();
    CHECK(timer_settime(timer, 0, &when, NULL) == 0);
    while (!fired)
        use(MS);
    CHECK(fired_at - begin >= 29 * MS);
    begin = own();
    when.it_value.tv_sec = (begin + 40 * MS) / 1000000000;
    when.it_value.tv_nsec = (begin + 40 * MS) % 1000000000;
    CHECK(timer_settime(timer, TIMER_ABSTIME, &when, NULL) == 0);
    while (fired < 2)
        use(MS);
    CHECK(fired_at - begin >= 38 * MS);
    CHECK(timer_delete(timer) == 0);
    CHECK(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0 && timer_delete(timer) == 0);
    return arg;
}

static void timers(void)
{
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK(signal(SIGUSR1, fires) != SIG_ERR);
    CHECK(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
    stop = false;
    pthread_t t = spawn(timed, NULL), s = spawn(spins, NULL);
    CHECK(pthread_join(t, NULL) == 0);
    stop = true;
    CHECK(pthread_join(s, NULL) == 0);
    puts("timers");
}

static atomic_int told;
static clockid_t watched;

static void tells(union sigval value)
{
    CHECK(read_clock(watched) >= value.sival_int * MS);
    told++;
}

/* On another's clock: by a thread, by a signal, again and again; what is left is told. */
static void timers_of_others(void)
{
    timer_t once, again;
    struct sigevent by_thread = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tells};
    struct sigevent by_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec left, ms30 = {.it_value = {.tv_nsec = 30 * MS}},
                            each5 = {{.tv_nsec = 5 * MS}, {.tv_nsec = 5 * MS}};
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    stop = false;
    fired = 0;
    pthread_t t = spawn(spins, NULL);
    CHECK(pthread_getcpuclockid(t, &watched) == 0);
    by_thread.sigev_value.sival_int = (int)(read_clock(watched) / MS) + 29;
    CHECK(timer_create(watched, &by_thread, &once) == 0);
    CHECK(timer_create(watched, &by_signal, &again) == 0);
    CHECK(timer_gettime(once, &left) == 0 && ns(left.it_value) == 0);
    CHECK(timer_settime(once, 0, &ms30, NULL) == 0 && timer_settime(again, 0, &each5, NULL) == 0);
    CHECK(timer_gettime(once, &left) == 0 && ns(left.it_value) <= 30 * MS && ns(left.it_value) > 0);
    CHECK(timer_gettime(again, &left) == 0 && ns(left.it_interval) == 5 * MS);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL) == 0);
    while (!told || fired < 3)
        usleep(1000);
    CHECK(timer_gettime(once, &left) == 0 && ns(left.it_value) == 0);
    ms30.it_value.tv_nsec = -1;
    CHECK(timer_settime(once, 0, &ms30, NULL) == -1 && errno == EINVAL);
    CHECK(timer_delete(again) == 0 && timer_delete(once) == 0);
    CHECK(timer_gettime(again, &left) == -1 && errno == EINVAL);
    stop = true;
    CHECK(pthread_join(t, NULL) == 0);
    puts("timers of others");
}

int main(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    CHECK(clock_getres(CLOCK_MONOTONIC, &t) == 0);
    CHECK(pthread_join(spawn(asks_late, NULL), NULL) == 0);
    shares();
    others();
    timers();
    timers_of_others();
    return 0;
}
