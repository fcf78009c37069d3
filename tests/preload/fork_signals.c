// run: 200
// Proves: signals that come while threads fork are handled once each, in the parent, and what is sent to a child is handled
// in that child: 200 forks under a fast timer, from main and from a thread, the handler posting and writing.
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile sig_atomic_t alarms, told;
static pid_t parent;
static sem_t sem;
static atomic_int over;

static void on_alarm(int sig)
{
    (void)sig;
    if (getpid() != parent)
        _exit(99); /* timers are not inherited, nor what is pending */
    alarms++;
    sem_post(&sem);
}

static void on_usr(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    told += info->si_value.sival_int;
}

static void child_life(int i)
{
    sigset_t none, pending;
    sigemptyset(&none);
    sigpending(&pending);
    if (sigismember(&pending, SIGALRM))
        _exit(98);
    if (i % 2)
        _exit(told ? 97 : 7);
    while (!told)
        sigsuspend(&none);
    _exit(told == i ? 7 : 96);
}

static void *forks(void *arg)
{
    int rounds = *(int *)arg, status;
    sigset_t usr;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr, NULL);
    for (int i = 1; i <= rounds; i++) {
        pid_t pid = fork();
        if (pid == 0)
            child_life(i);
        CHECK(pid > 0);
        if (i % 2 == 0)
            CHECK(sigqueue(pid, SIGUSR1, (union sigval){i}) == 0);
        while (waitpid(pid, &status, 0) == -1)
            CHECK(errno == EINTR);
        if (status != 0x700)
            printf("child %d: status %x\n", i, status);
    }
    return NULL;
}

static void *turns(void *arg)
{
    while (!over)
        sched_yield();
    return arg;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 200;
    struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 500}, {0, 500}}, off = {{0, 0}, {0, 0}};
    pthread_t t[3];
    parent = getpid();
    sem_init(&sem, 0, 0);
    sigaction(SIGALRM, &act, NULL);
    act.sa_sigaction = on_usr;
    act.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &act, NULL);
    for (int i = 0; i < 2; i++)
        t[i] = spawn(turns, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    forks(&rounds);
    pthread_join(spawn(forks, &rounds), NULL);
    setitimer(ITIMER_REAL, &off, NULL);
    usleep(10000);
    over = 1;
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    int posted;
    sem_getvalue(&sem, &posted);
    CHECK(alarms > 0 && alarms == posted && told == 0);
    puts("each signal once, where it belongs");
    return 0;
}
