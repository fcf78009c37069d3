// Proves: a thread that has computed for long, so that its hub went on without it, can exit, fork,
// exec, end, be cancelled, be signalled and leave a handler by siglongjmp like any other. Each case
// runs in a child process.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static volatile int flag, ready;
static volatile sig_atomic_t here;
static __thread int mine;
static pthread_t hog;
static sigjmp_buf back;

static void compute(void)
{
    for (double end = now() + 0.05; now() < end;)
        ;
}

static void *spins(void *arg)
{
    compute();
    mine = ready = 1;
    while (!flag)
        ;
    return arg;
}

static void on_signal(int sig)
{
    (void)sig;
    here = mine;
    flag = 1;
}

static void start(void *(*body)(void *))
{
    CHECK(pthread_create(&hog, NULL, body, NULL) == 0);
}

static void until_ready(void)
{
    while (!ready)
        usleep(1000);
}

static void expect(void *expected)
{
    void *result;
    CHECK(pthread_join(hog, &result) == 0 && result == expected);
}

static void at_exit(void)
{
    puts("atexit");
}

static void *exits(void *arg)
{
    compute();
    atexit(at_exit);
    exit(5);
    return arg;
}

static void case_exit(void)
{
    start(exits);
    sleep(10);
}

static void *leaves(void *arg)
{
    compute();
    _exit(6);
    return arg;
}

static void case_leave(void)
{
    start(leaves);
    sleep(10);
}

static void *forks(void *arg)
{
    int status;
    compute();
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        compute();
        start(spins);
        flag = 1;
        expect(NULL);
        _exit(7);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return arg;
}

static void case_fork(void)
{
    start(forks);
    expect(NULL);
}

static void *execs(void *arg)
{
    compute();
    execl("/bin/sh", "sh", "-c", "exit 8", NULL);
    return arg;
}

static void case_exec(void)
{
    start(execs);
    sleep(10);
}

static void *ends(void *arg)
{
    compute();
    pthread_exit(&back);
    return arg;
}

static void case_end(void)
{
    start(ends);
    expect(&back);
}

static void *tests_cancel(void *arg)
{
    spins(arg);
    pthread_testcancel();
    return arg;
}

static void case_cancel(void)
{
    start(tests_cancel);
    until_ready();
    CHECK(pthread_cancel(hog) == 0);
    flag = 1;
    expect(PTHREAD_CANCELED);
}

static void *async(void *arg)
{
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
    return spins(arg);
}

static void case_cancel_async(void)
{
    start(async);
    until_ready();
    CHECK(pthread_cancel(hog) == 0);
    expect(PTHREAD_CANCELED);
}

static void case_kill(void)
{
    signal(SIGUSR1, on_signal);
    start(spins);
    until_ready();
    CHECK(pthread_kill(hog, SIGUSR1) == 0);
    expect(NULL);
    CHECK(here == 1);
}

static void *sleeps(void *arg)
{
    usleep(1000);
    return arg;
}

static void case_timer_main(void)
{
    struct itimerval in = {.it_value.tv_usec = 300000};
    start(sleeps);
    signal(SIGALRM, on_signal);
    CHECK(setitimer(ITIMER_REAL, &in, NULL) == 0);
    spins(NULL);
    CHECK(here == 1);
    expect(NULL);
}

static void *raises(void *arg)
{
    compute();
    signal(SIGTERM, SIG_DFL);
    raise(SIGTERM);
    return arg;
}

static void case_raise(void)
{
    start(raises);
    sleep(10);
}

static void jumps(int sig)
{
    (void)sig;
    siglongjmp(back, 1);
}

static void *jumped(void *arg)
{
    sigset_t set;
    if (sigsetjmp(back, 1) == 0)
        spins(arg);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &set) == 0 && !sigismember(&set, SIGUSR1));
    compute();
    usleep(1000);
    return arg;
}

static void case_jump(void)
{
    signal(SIGUSR1, jumps);
    start(jumped);
    until_ready();
    CHECK(pthread_kill(hog, SIGUSR1) == 0);
    expect(NULL);
}

static void *last(void *arg)
{
    compute();
    puts("last");
    return arg;
}

static void case_main_ends(void)
{
    start(last);
    compute();
    pthread_exit(NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {{"exit", case_exit},          {"_exit", case_leave}, {"fork", case_fork},
             {"exec", case_exec},          {"end", case_end},     {"cancel", case_cancel},
             {"async", case_cancel_async}, {"kill", case_kill},   {"timer", case_timer_main},
             {"raise", case_raise},        {"jump", case_jump},   {"main ends", case_main_ends}};

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status;
        fflush(stdout);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            cases[i].run();
            return 0;
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        printf("%s: %x\n", cases[i].name, (unsigned)status);
    }
    return 0;
}
