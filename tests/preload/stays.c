// Proves: a thread that computes in a signal handler, in a call of the loader or between vfork and exec
// stays on its kernel thread meanwhile, and but for the handler the others go on.
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static atomic_int stop, ticks;
static volatile sig_atomic_t handled;

/* The kernel's answer: gettid() tells the program's thread id. */
static long kernel_thread(void)
{
#ifdef __x86_64__
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"((long)SYS_gettid) : "rcx", "r11", "memory");
    return r;
#else
    return 0;
#endif
}

static void compute(double seconds)
{
    for (double end = now() + seconds; now() < end;)
        ;
}

static void stay(void)
{
    long before = kernel_thread();
    compute(0.06);
    CHECK(kernel_thread() == before);
}

static void *ticker(void *arg)
{
    for (; !stop; ticks++)
        usleep(1000);
    return arg;
}

static void on_signal(int sig)
{
    (void)sig;
    stay();
    handled = 1;
}

static void *takes_signal(void *arg)
{
    CHECK(raise(SIGUSR1) == 0 && handled);
    return arg;
}

static int stay_here(struct dl_phdr_info *info, size_t size, void *seen)
{
    (void)info, (void)size;
    long before = kernel_thread();
    compute(0.4);
    CHECK(kernel_thread() == before && ticks > *(int *)seen);
    return 7;
}

static void *in_loader(void *arg)
{
    int seen = ticks;
    CHECK(dl_iterate_phdr(stay_here, &seen) == 7);
    return arg;
}

__attribute__((noinline)) static pid_t run_child(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        compute(0.4);
        execl("/bin/sh", "sh", "-c", "exit 3", NULL);
        _exit(4);
    }
    return pid;
}

static void *forks(void *arg)
{
    int status, seen = ticks;
    long before = kernel_thread();
    pid_t pid = run_child();
    CHECK(kernel_thread() == before);
    CHECK(ticks > seen);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
    return arg;
}

int main(void)
{
    pthread_t t = spawn(ticker, NULL);
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_join(spawn(takes_signal, NULL), NULL) == 0);
        CHECK(pthread_join(spawn(in_loader, NULL), NULL) == 0);
        CHECK(pthread_join(spawn(forks, NULL), NULL) == 0);
    }
    stop = 1;
    CHECK(pthread_join(t, NULL) == 0);
    puts("ok");
    return 0;
}
