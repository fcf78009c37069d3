// flags: -lrt
// Proves: a timer that fires again before its handler has begun does not keep it from beginning: not in a thread that computes,
// nor in one that waits, nor with a real-time signal, nor on an alternate stack; what the handler's mask holds back comes
// after it, and however many come no stack grows.
#include "check.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>

#define RUNS 4000

static timer_t timer;
static volatile sig_atomic_t runs, inside, nested, flags;
static char *volatile lowest, *volatile highest; /* where handlers have stood */
static sem_t never;
static char alternate[1 << 16];

static void stop_after(int sig)
{
    struct itimerspec off = {0};
    char *here = __builtin_frame_address(0);
    (void)sig;
    lowest = !lowest || here < lowest ? here : lowest;
    highest = here > highest ? here : highest;
    nested += inside++;
    if (++runs == RUNS)
        timer_settime(timer, 0, &off, NULL);
    inside--;
}

/* A timer of a nanosecond is due again whenever the kernel looks. */
static void start(int sig)
{
    struct sigaction act = {.sa_handler = stop_after, .sa_flags = SA_RESTART | flags};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig};
    struct itimerspec each = {{0, 1}, {0, 1}};
    runs = nested = 0;
    lowest = highest = NULL;
    CHECK(sigaction(sig, &act, NULL) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK(timer_settime(timer, 0, &each, NULL) == 0);
}

static void end(const char *what)
{
    struct timespec moment = {0, 1000000};
    timer_delete(timer);
    nanosleep(&moment, NULL);
    CHECK(runs >= RUNS && nested == 0 && highest - lowest < 40000);
    printf("%s: the handler ran\n", what);
    fflush(stdout);
}

static void computing(const char *what, int sig)
{
    start(sig);
    while (runs < RUNS)
        ;
    end(what);
}

static void waiting(const char *what, int sig)
{
    struct timespec until = ms_from_now(CLOCK_REALTIME, 20);
    start(sig);
    while (runs < RUNS)
        while (sem_timedwait(&never, &until) && errno == EINTR)
            ;
    end(what);
}

static void count(int sig)
{
    (void)sig;
    if (++runs == RUNS)
        setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

static void interval(void)
{
    struct itimerval each = {{0, 1}, {0, 1}};
    runs = 0;
    signal(SIGALRM, count);
    CHECK(setitimer(ITIMER_REAL, &each, NULL) == 0);
    while (runs < RUNS)
        usleep(1000);
    signal(SIGALRM, SIG_IGN);
    puts("a microsecond: the handler ran");
}

static void *idles(void *arg)
{
    sem_wait(&never);
    return arg;
}

static void *blocked_by_main(void *arg)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    computing("in another thread", SIGUSR2);
    return arg;
}

int main(void)
{
    sigset_t set, old;
    CHECK(sem_init(&never, 0, 0) == 0);
    sigfillset(&set);
    CHECK(pthread_sigmask(SIG_SETMASK, &set, &old) == 0);
    pthread_t other = spawn(idles, NULL);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    computing("computing", SIGUSR1);
    waiting("waiting", SIGUSR1);
    computing("real-time signal", SIGRTMIN);
    waiting("real-time signal, waiting", SIGRTMIN + 1);
    interval();
    flags = SA_ONSTACK;
    CHECK(sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL) == 0);
    computing("alternate stack", SIGUSR1);
    waiting("alternate stack, waiting", SIGRTMIN);
    flags = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(pthread_join(spawn(blocked_by_main, NULL), NULL) == 0);
    sem_post(&never);
    return pthread_join(other, NULL);
}
