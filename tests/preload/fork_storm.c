// run: 4
// Proves: fork works from any thread at any moment: in a loop with thousands of others alive, from several at once while
// hubs switch, from one that computes (its hub goes on without it), twice in a row (daemons), and in a child that makes
// threads again; exit races against running hubs; each child has one thread and the parent keeps all of its.
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { SLEEPERS = 1000 };

static atomic_int over, turns;
static __thread int mine;

static void *sleeps(void *arg)
{
    int *pipe_end = arg;
    char c;
    while (read(*pipe_end, &c, 1) == 1)
        ;
    return NULL;
}

static void *turns_round(void *arg)
{
    while (!over) {
        turns++;
        sched_yield();
    }
    return arg;
}

static void *adds(void *arg)
{
    mine += (int)(long)arg;
    usleep(100);
    return (void *)(long)mine;
}

static void child_life(int code)
{
    void *result;
    CHECK(pthread_join(spawn(adds, (void *)5L), &result) == 0 && result == (void *)5L);
    _exit(code);
}

static void reap(pid_t pid, int code)
{
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

static void fork_once(int code)
{
    mine = code;
    pid_t pid =
        code % 3 ? _Fork() : fork(); /* after _Fork only async-signal-safe calls are allowed */
    if (pid == 0 && mine == code)
        code % 3 ? _exit(code) : child_life(code);
    reap(pid, code);
}

static void *forks(void *arg)
{
    for (int i = 1; i <= 10; i++)
        fork_once(i);
    return arg;
}

static void *computes_and_forks(void *arg)
{
    double end = now() + 0.05;
    while (now() < end)
        ;
    fork_once(33);
    while (now() < end + 0.05)
        ;
    pid_t pid = fork(); /* stranded by now */
    if (pid == 0)
        child_life(34);
    reap(pid, 34);
    return arg;
}

static void *daemon_like(void *arg)
{
    int fds[2];
    char c = 0;
    CHECK(pipe(fds) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        pid = fork();
        if (pid)
            _exit(1);
        void *result;
        CHECK(setsid() > 0 && pthread_join(spawn(adds, (void *)7L), &result) == 0);
        c = (char)(long)result;
        _exit(write(fds[1], &c, 1) == 1 ? 0 : 1);
    }
    reap(pid, 1);
    CHECK(read(fds[0], &c, 1) == 1 && c == 7);
    close(fds[0]);
    close(fds[1]);
    return arg;
}

/* The process ends while its threads run on every hub. */
static void exit_races(void)
{
    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (int k = 0; k < 4; k++)
                spawn(turns_round, NULL);
            if (i % 2)
                sched_yield();
            exit(i);
        }
        reap(pid, i);
    }
}

int main(int argc, char **argv)
{
    int fds[2], rounds = argc > 1 ? atoi(argv[1]) : 1;
    pthread_t sleepers[SLEEPERS], t[8], turning;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 32768);
    CHECK(pipe(fds) == 0);
    exit_races();
    for (int i = 0; i < SLEEPERS; i++)
        CHECK(pthread_create(&sleepers[i], &attr, sleeps, &fds[0]) == 0);
    turning = spawn(turns_round, NULL);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 8; i++)
            t[i] = spawn(i < 4 ? forks : i < 6 ? computes_and_forks : daemon_like, NULL);
        forks(NULL);
        for (int i = 0; i < 8; i++)
            pthread_join(t[i], NULL);
    }
    int seen = turns;
    while (turns == seen)
        usleep(100);
    over = 1;
    pthread_join(turning, NULL);
    close(fds[1]);
    for (int i = 0; i < SLEEPERS; i++)
        CHECK(pthread_join(sleepers[i], NULL) == 0);
    puts("ok");
    return 0;
}
