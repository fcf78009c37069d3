// Proves: kernel threads that the program makes with clone itself, without thread-local storage of their own, share
// futexes and semaphores with the program's threads in both directions; a process made so can make threads,
// and ends with its last one.
#define _GNU_SOURCE
#include "check.h"

#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { ROUNDS = 100, STACK = 256 << 10 };

int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);

static sem_t ping, pong;
static atomic_int word, answers;
static atomic_int gone;

static long futex(const atomic_int *at, int op, int value)
{
    return syscall(SYS_futex, at, op, value, NULL, NULL, 0);
}

// errno is the maker's: what may fail is not called.
static int runs(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        while (sem_wait(&ping))
            ;
        sem_post(&pong);
    }
    for (int i = 1; i <= ROUNDS; i++) {
        while (word != i)
            futex(&word, FUTEX_WAIT, i - 1);
        answers = i;
        futex(&answers, FUTEX_WAKE, 1);
    }
    (void)arg;
    return 0;
}

static void answer(void)
{
    for (int i = 0; i < ROUNDS; i++)
        CHECK(sem_post(&ping) == 0 && sem_wait(&pong) == 0);
    for (int i = 1; i <= ROUNDS; i++) {
        word = i;
        futex(&word, FUTEX_WAKE, 1);
        while (answers != i)
            futex(&answers, FUTEX_WAIT, i - 1);
    }
    word = answers = 0;
}

// Has the memory of its maker's process, or a copy.
static int child(void *arg)
{
    pthread_t t = spawn((void *(*)(void *))arg, NULL);
    return pthread_join(t, NULL) ? 1 : 7;
}

static void *sleeps_once(void *arg)
{
    usleep(1000);
    return arg;
}

static void a_process(char *stack)
{
    int status;
    pid_t pid = __clone(child, stack + STACK, SIGCHLD, (void *)sleeps_once);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
}

static void *with_clone(void *arg)
{
    char *stack = malloc(STACK);
    gone = 1;
    errno = 0;
    CHECK(stack && clone(runs, stack + STACK,
                         CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                             CLONE_SYSVSEM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
                         NULL, NULL, NULL, &gone) > 0);
    answer();
    while (gone)
        usleep(1000);
    CHECK(clone(runs, NULL, CLONE_VM, NULL) == -1 && errno == EINVAL);
    a_process(stack);
    free(stack);
    return arg;
}

static void *sleeps(void *arg)
{
    while (!*(atomic_int *)arg)
        usleep(500);
    return arg;
}

int main(void)
{
    atomic_int stop = 0;
    CHECK(sem_init(&ping, 0, 0) == 0 && sem_init(&pong, 0, 0) == 0);
    with_clone(NULL); // alone
    puts("alone");
    pthread_t other = spawn(sleeps, &stop);
    with_clone(NULL);
    puts("main");
    CHECK(pthread_join(spawn(with_clone, NULL), NULL) == 0);
    puts("thread");
    stop = 1;
    CHECK(pthread_join(other, NULL) == 0);
    return 0;
}
