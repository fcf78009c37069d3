// Proves: a signal for the process that only one thread does not block is handled by that thread, however soon it ends
// after it was sent: by itself, by the others, by kill, sigqueue and by number.
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { TIMES = 60 };

static atomic_int ready, stop, handled;
static atomic_long handler_ran_on;

static void on_signal(int sig)
{
    (void)sig;
    handler_ran_on = (long)pthread_self();
    handled++;
}

static void *takes(void *arg)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    ready = 1;
    while (!stop)
        ;
    sched_yield(); // enters the kernel, as the end of a thread does
    return arg;
}

static void *sends(void *how)
{
    switch ((long)how % 3) {
    case 0:
        CHECK(kill(getpid(), SIGUSR1) == 0);
        break;
    case 1:
        CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0);
        break;
    default:
        CHECK(syscall(SYS_kill, getpid(), SIGUSR1) == 0);
    }
    stop = 1;
    return NULL;
}

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR && signal(SIGRTMIN, on_signal) != SIG_ERR);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    for (long i = 0; i < TIMES; i++) {
        ready = stop = handled = 0;
        pthread_t t = spawn(takes, NULL), sender = 0;
        while (!ready)
            usleep(100);
        usleep(i % 3 * 10000); // a thread that computes has a kernel thread of its own by then
        if (i % 2)
            sender = spawn(sends, (void *)i);
        else
            sends((void *)i);
        CHECK(pthread_join(t, NULL) == 0);
        CHECK(handled == 1 && handler_ran_on == (long)t);
        if (i % 2)
            CHECK(pthread_join(sender, NULL) == 0);
    }
    puts("all handled");
    return 0;
}
