// Proves: a handler finds in its context the mask of the thread it has interrupted, in program code, in a wait, at a fault;
// what it changes there holds when it has returned. Collectors of language runtimes ask and do so.
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "check.h"

static atomic_int runs, stop;
static char *page;

static void handler(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    for (int s = 1; s < SIGRTMIN; s++)
        CHECK(sigismember(&uc->uc_sigmask, s) == (s == SIGUSR2));
    CHECK(info->si_signo == sig);
    sigaddset(&uc->uc_sigmask, SIGHUP);
    if (sig == SIGSEGV)
        CHECK(mprotect(page, 1, PROT_READ | PROT_WRITE) == 0);
    runs++;
}

static void expect_hup_blocked_and_unblock(void)
{
    sigset_t mask, hup;
    sigemptyset(&hup);
    sigaddset(&hup, SIGHUP);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &hup, &mask) == 0);
    CHECK(sigismember(&mask, SIGHUP) && sigismember(&mask, SIGUSR2) && !sigismember(&mask, SIGINT));
}

static void wait_for(int count)
{
    while (runs < count)
        ;
    expect_hup_blocked_and_unblock();
}

static void *interrupted(void *arg)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    CHECK(pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0);
    wait_for(1);
    CHECK(mprotect(page, 1, PROT_NONE) == 0);
    *page = 1;
    wait_for(2);
    stop = 1;
    while (stop == 1)
        ; /* main's signal comes in here */
    expect_hup_blocked_and_unblock();
    stop = 3;
    CHECK(usleep(60000000) == -1);
    wait_for(4);
    return arg;
}

int main(void)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0 && sigaction(SIGSEGV, &act, NULL) == 0);
    pthread_t t = spawn(interrupted, NULL);
    while (stop != 1)
        usleep(1000);
    CHECK(pthread_kill(t, SIGUSR1) == 0);
    while (runs != 3)
        usleep(1000);
    stop = 2;
    while (stop != 3)
        usleep(1000);
    usleep(20000);
    CHECK(pthread_kill(t, SIGUSR1) == 0 && pthread_join(t, NULL) == 0);
    puts("the contexts told");
    return 0;
}
