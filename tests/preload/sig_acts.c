// Proves: what handlers of old servers do works wherever the signal meets the thread, computing, in a call, waiting for a lock
// or for another's end, main or not: end the process in each way, fork, start another program or become one with the
// handler's mask, as natively.
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { ACTS = 9, PLACES = 6 };

static int act;
static const char *self;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_t endless;
static atomic_int waiting;

static void at_exit(void)
{
    usleep(1000);
    fputs("atexit ", stdout);
}

static void at_quick(void)
{
    (void)!write(1, "quick ", 6);
}

static void reap(pid_t pid)
{
    int status;
    char line[40];
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    int n = snprintf(line, sizeof line, "child %x ", status);
    (void)!write(1, line, (size_t)n);
}

static void handler(int sig)
{
    extern char **environ;
    char *argv[] = {(char *)self, (char *)"mask", NULL};
    pid_t pid;
    switch (act) {
    case 0:
        exit(3);
    case 1:
        _exit(4);
    case 2:
        quick_exit(5);
    case 3:
        abort();
    case 4:
        if ((pid = fork()) == 0)
            _exit(6);
        reap(pid);
        _exit(7);
    case 5:
        if ((pid = vfork()) == 0) {
            execv(self, argv);
            _exit(9);
        }
        reap(pid);
        _exit(7);
    case 6:
        if (posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0)
            reap(pid);
        _exit(7);
    case 7:
        execv(self, argv);
        _exit(9);
    default:
        signal(sig, SIG_DFL);
        raise(sig);
        {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, sig);
            pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        }
    }
}

static void *meets(void *place)
{
    int fds[2];
    char c;
    CHECK(pipe(fds) == 0);
    waiting = 1;
    switch ((long)place) {
    case 0:
        for (;;)
            waiting = 1;
    case 1:
        for (;;)
            (void)!read(fds[0], &c, 1);
    case 2:
        pthread_mutex_lock(&held);
        break;
    case 3:
        pthread_join(endless, NULL);
        break;
    case 4: {
        pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_lock(&m);
        for (;;)
            pthread_cond_wait(&never, &m);
    }
    default:
        for (;;)
            sched_yield();
    }
    return NULL;
}

static void *sleeps(void *arg)
{
    for (;;)
        sleep(1000);
    return arg;
}

static void *kills(void *target)
{
    while (!waiting)
        usleep(100);
    usleep(2000);
    pthread_kill(*(pthread_t *)target, SIGTERM);
    return NULL;
}

static void life(int place, int in_thread)
{
    pthread_t t = pthread_self();
    const struct rlimit none = {0, 0};
    struct sigaction a = {.sa_handler = handler};
    setrlimit(RLIMIT_CORE, &none);
    sigaddset(&a.sa_mask, SIGUSR1);
    sigaction(SIGTERM, &a, NULL);
    atexit(at_exit);
    at_quick_exit(at_quick);
    fputs("buffered ", stdout);
    pthread_mutex_lock(&held);
    endless = spawn(sleeps, NULL);
    if (in_thread)
        t = spawn(meets, (void *)(long)place);
    spawn(kills, &t);
    if (!in_thread)
        meets((void *)(long)place);
    for (;;)
        pause();
}

static int tell_mask(void)
{
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    printf("mask");
    for (int i = 1; i < 32; i++)
        if (sigismember(&set, i))
            printf(" %d", i);
    printf(" ");
    return 8;
}

int main(int argc, char **argv)
{
    self = "/proc/self/exe";
    if (argc > 1 && strcmp(argv[1], "mask") == 0)
        return tell_mask();
    for (int i = 0; i < ACTS * PLACES * 2; i++) {
        int status;
        act = i / 2 % ACTS;
        printf("act %d at place %d of %s: ", act, i / 2 / ACTS, i % 2 ? "thread" : "main");
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            life(i / 2 / ACTS, i % 2);
        CHECK(waitpid(pid, &status, 0) == pid);
        printf("status %x\n", status);
    }
    fflush(stdout);
    return 0;
}
