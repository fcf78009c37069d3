// Proves: signals named after faults that somebody has sent are signals like any other: they end a wait, stay pending while
// blocked, sigwait takes them. A thread has as many real-time signals pending as RLIMIT_SIGPENDING allows. What
// SA_RESETHAND leaves of an action, and a tracer sees what its child sends itself.
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
static volatile sig_atomic_t handled;
static int start[2];

static void note(int sig)
{
    (void)sig;
    handled++;
}

/* Another process that sends sig to this one, once it is told to. */
static pid_t sender(int sig)
{
    pid_t parent = getpid(), child = fork();
    char c;
    if (child == 0) {
        CHECK(read(start[0], &c, 1) == 1);
        usleep(20000);
        kill(parent, sig);
        _exit(0);
    }
    return child;
}

static int is_pending(int sig)
{
    sigset_t pending;
    CHECK(sigpending(&pending) == 0);
    return sigismember(&pending, sig);
}

static int is_handled(int times)
{
    return handled == times;
}

/* Another kernel thread may be taking the signal just then (ARCHITECTURE.md, Not there yet). */
static int becomes(int (*true_of)(int), int what)
{
    for (int i = 0; i < 100 && !true_of(what); i++)
        usleep(10000);
    return true_of(what);
}

static void sent(int sig)
{
    struct sigaction act = {.sa_handler = note};
    sigset_t set;
    int got = 0;
    sigemptyset(&set);
    sigaddset(&set, sig);
    handled = 0;
    CHECK(sigaction(sig, &act, NULL) == 0);
    pid_t child = sender(sig);
    CHECK(write(start[1], "x", 1) == 1);
    CHECK(pause() == -1 && errno == EINTR && handled == 1);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    for (int i = 0; i < 2; i++) {
        child = sender(sig);
        CHECK(write(start[1], "x", 1) == 1 && waitpid(child, NULL, 0) == child);
        CHECK(becomes(is_pending, sig) && handled == 1);
        if (i == 0)
            CHECK(sigwait(&set, &got) == 0 && got == sig);
    }
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0 && becomes(is_handled, 2));
    act.sa_flags = SA_RESETHAND | SA_SIGINFO | SA_NODEFER;
    sigaddset(&act.sa_mask, SIGUSR1);
    CHECK(sigaction(sig, &act, NULL) == 0 && raise(sig) == 0 && handled == 3);
    CHECK(sigaction(sig, NULL, &act) == 0 && act.sa_handler == SIG_DFL);
    printf("%d: %d left, %x %d\n", sig, sigismember(&act.sa_mask, SIGUSR1),
           act.sa_flags & (int)(SA_RESETHAND | SA_SIGINFO | SA_NODEFER), handled);
}

static void *blocks(void *arg)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    pthread_barrier_wait(arg);
    pthread_barrier_wait(arg);
    for (int i = 0, value = 0; i < 1000; i++, value++) {
        siginfo_t info;
        CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == value);
    }
    return NULL;
}

static void limited(void)
{
    pthread_barrier_t at;
    struct rlimit limit, none;
    CHECK(pthread_barrier_init(&at, NULL, 2) == 0);
    pthread_t t = spawn(blocks, &at);
    pthread_barrier_wait(&at);
    for (int i = 0; i < 1000; i++)
        CHECK(pthread_sigqueue(t, SIGRTMIN, (union sigval){.sival_int = i}) == 0);
    CHECK(getrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    none = (struct rlimit){0, limit.rlim_max};
    CHECK(setrlimit(RLIMIT_SIGPENDING, &none) == 0);
    CHECK(pthread_sigqueue(t, SIGRTMIN, (union sigval){0}) == EAGAIN);
    CHECK(pthread_kill(t, SIGRTMIN) == EAGAIN);
    CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    pthread_barrier_wait(&at);
    CHECK(pthread_join(t, NULL) == 0);
    puts("1000 pending, and none more than allowed");
}

static void *waits(void *arg)
{
    CHECK(read(*(int *)arg, &(char){0}, 1) == 0);
    return arg;
}

/* kind: by kill or by raise */
static void traced(int kind)
{
    int status, hold[2];
    CHECK(pipe(hold) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(hold[1]);
        spawn(waits, &hold[0]);
        signal(SIGUSR2, note);
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        handled = 0;
        CHECK((kind ? raise(SIGUSR2) : kill(getpid(), SIGUSR2)) == 0);
        _exit(10 + handled);
    }
    CHECK(waitpid(child, &status, 0) == child);
    printf("stopped %d by %d,", WIFSTOPPED(status), WSTOPSIG(status));
    CHECK(ptrace(PTRACE_CONT, child, 0, kind ? SIGUSR2 : 0) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    printf(" then %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    close(hold[0]);
    close(hold[1]);
}

int main(void)
{
    int hold[2];
    CHECK(pipe(start) == 0 && pipe(hold) == 0);
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 0; i < 2; i++)
        traced(i);
    sigset_t all, old;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &old) == 0);
    pthread_t t = spawn(waits, &hold[0]);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
        sent(faults[i]);
    limited();
    close(hold[1]);
    return pthread_join(t, NULL);
}
