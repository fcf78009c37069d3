// Proves: each way a process can end gives its status, runs its handlers and flushes stdio once, with other threads
// asleep, computing or ready, and whichever thread it is that ends it.
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

static atomic_int computing = 1;

static void *sleeps(void *arg)
{
    for (;;)
        sleep(1000);
    return arg;
}

static void *computes(void *arg)
{
    while (computing)
        ;
    return arg;
}

static void *yields(void *arg)
{
    while (computing)
        sched_yield();
    return arg;
}

static void handler(void)
{
    fputs("atexit ", stdout);
}

/* Natively too others run on while a handler waits. */
static void slow_handler(void)
{
    usleep(3000);
    fputs("slow ", stdout);
}

static void quick_handler(void)
{
    if (write(1, "quick ", 6) != 6)
        abort();
}

__attribute__((destructor)) static void destructor(void)
{
    fputs("destructor ", stdout);
}

static void end(int how)
{
    static char stray[64];
    switch (how) {
    case 0:
        exit(3);
    case 1:
        _exit(4);
    case 2:
        quick_exit(5);
    case 3:
        abort();
    case 4:
        _Exit(6);
    case 5:
        raise(SIGTERM);
        break;
    case 6:
        kill(getpid(), SIGKILL);
        break;
    default:
        snprintf(stray, sizeof stray, "exec sh -c 'printf sh; exit 7'");
        execl("/bin/sh", "sh", "-c", stray, NULL);
    }
    for (;;)
        pause();
}

static void *ends(void *how)
{
    end((int)(long)how);
    return NULL;
}

static void others(void)
{
    for (int i = 0; i < 3; i++) {
        spawn(sleeps, NULL);
        spawn(yields, NULL);
    }
    spawn(computes, NULL);
}

static int body(int how, int from_thread)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    atexit(handler);
    atexit(slow_handler);
    at_quick_exit(quick_handler);
    fputs("buffered ", stdout);
    others();
    if (how == 8)
        return 8;
    if (how == 9) {
        computing = 0;
        pthread_exit(NULL); /* the sleepers stay: one of them ends the process */
    }
    if (!from_thread)
        end(how);
    spawn(ends, (void *)(long)how);
    for (;;)
        pause();
}

static void *ends_later(void *arg)
{
    usleep(20000);
    exit(9);
    return arg;
}

int main(int argc, char **argv)
{
    char words[2][20];
    if (argc > 1) {
        if (atoi(argv[1]) == 9)
            spawn(ends_later, NULL);
        return body(atoi(argv[1]), atoi(argv[2]));
    }
    for (int i = 0; i < 20; i++) {
        int status;
        printf("way %d, from %s: ", i / 2, i % 2 ? "thread" : "main");
        fflush(stdout);
        snprintf(words[0], sizeof words[0], "%d", i / 2);
        snprintf(words[1], sizeof words[1], "%d", i % 2);
        pid_t pid = fork();
        if (pid == 0)
            execl(argv[0], argv[0], words[0], words[1], NULL);
        CHECK(waitpid(pid, &status, 0) == pid);
        printf("status %x\n", status);
    }
    _exit(fflush(stdout));
}
