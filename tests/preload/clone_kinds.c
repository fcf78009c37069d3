// Proves: children made by clone and by its bare system calls while threads live and wait are whole processes: where
// they have memory of their own they make and wait for threads, where they share it they may do what a vfork's may.
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);

static int echoes[2];
static char stack[2][256 << 10] __attribute__((aligned(16)));

static void *echo(void *arg)
{
    char c;
    while (read(echoes[0], &c, 1) == 1 && c != 'e')
        ;
    return arg;
}

static void *child_thread(void *arg)
{
    int p[2];
    char c;
    CHECK(pipe(p) == 0 && write(p[1], "x", 1) == 1 && read(p[0], &c, 1) == 1);
    usleep(1000);
    return arg;
}

static int has_threads(void *arg)
{
    pthread_t t[3];
    usleep(1000);
    for (int i = 0; i < 3; i++)
        t[i] = spawn(child_thread, NULL);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    return (int)(intptr_t)arg;
}

static int shares_memory(void *arg)
{
    int *p = arg;
    usleep(20000);
    return write(p[1], "shared", 6) == 6 && close(p[0]) == 0 ? 43 : 1;
}

static void ends_with(pid_t pid, int status)
{
    int s;
    CHECK(pid > 0 && waitpid(pid, &s, 0) == pid && WIFEXITED(s) && WEXITSTATUS(s) == status);
}

static pid_t bare_fork(pid_t *tid)
{
#ifdef SYS_fork
    return *tid = (pid_t)syscall(SYS_fork);
#else
    return *tid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
}

static pid_t plain_clone(pid_t *tid)
{
    return *tid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static pid_t bare_clone(pid_t *tid)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, 0, tid,
                          0, 0);
}

static pid_t bare_clone3(pid_t *tid)
{
    struct clone_args a = {
        .flags = CLONE_PARENT_SETTID, .parent_tid = (uintptr_t)tid, .exit_signal = SIGCHLD};
    return (pid_t)syscall(SYS_clone3, &a, sizeof a);
}

static void bare(pid_t (*make)(pid_t *))
{
    pid_t tid = 0, pid = make(&tid);
    if (pid == 0)
        _exit(has_threads((void *)42));
    CHECK(tid == pid);
    ends_with(pid, 42);
}

static void all_kinds(int k)
{
    pid_t tid = 0, pid;
    int p[2];
    char text[8] = "";
    bare(bare_fork);
    bare(plain_clone);
    bare(bare_clone);
    bare(bare_clone3);
    pid = clone(has_threads, stack[k] + sizeof stack[k], SIGCHLD | CLONE_PARENT_SETTID, (void *)44,
                &tid);
    CHECK(tid == pid);
    ends_with(pid, 44);
    CHECK(pipe(p) == 0);
    ends_with(
        __clone(shares_memory, stack[k] + sizeof stack[k], CLONE_VM | CLONE_VFORK | SIGCHLD, p),
        43);
    CHECK(read(p[0], text, 6) == 6 && strcmp(text, "shared") == 0);
    CHECK(close(p[0]) == 0 && close(p[1]) == 0);
    CHECK(clone(has_threads, NULL, SIGCHLD, NULL) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_clone3, NULL, 0) == -1 && errno == EINVAL);
}

static void *clones(void *arg)
{
    for (int i = 0; i < 5; i++)
        all_kinds((int)(intptr_t)arg);
    return arg;
}

int main(void)
{
    CHECK(pipe(echoes) == 0);
    pthread_t waits = spawn(echo, NULL), other = spawn(clones, (void *)1);
    clones(NULL);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(write(echoes[1], "e", 1) == 1 && pthread_join(waits, NULL) == 0);
    puts("clones ok");
    return 0;
}
