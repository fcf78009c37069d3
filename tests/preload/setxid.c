// Proves: changing the user and groups while threads run on every hub takes effect on all of them and hangs nobody.
// Where that fails for some of them libc aborts, and the program's handler hears of it.
// limit: 30
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 8 };

static pthread_barrier_t changed;
static uid_t want;
static gid_t want_group;

/* What the kernel says of this very kernel thread. */
static void *looker(void *arg)
{
    usleep(1000 * (useconds_t)(size_t)arg);
    pthread_barrier_wait(&changed);
    CHECK(syscall(SYS_geteuid) == want && syscall(SYS_getegid) == want_group);
    gid_t groups[8];
    CHECK(getgroups(8, groups) == 2 && groups[0] + groups[1] == 3333);
    return NULL;
}

static void *changer(void *arg)
{
    gid_t groups[] = {1111, 2222};
    for (int i = 0; i < 20; i++) {
        CHECK(seteuid(4000 + (uid_t)i) == 0 && seteuid(0) == 0);
        CHECK(setregid((gid_t)-1, 5000) == 0 && setegid(0) == 0);
    }
    CHECK(setgroups(2, groups) == 0);
    CHECK(setresgid(6000, 6000, 0) == 0 && setresuid(7000, 7000, 0) == 0);
    want = 7000, want_group = 6000;
    CHECK(setuid(12345) == -1 && errno == EPERM);
    pthread_barrier_wait(&changed);
    return arg;
}

static void aborted(int sig)
{
    (void)sig;
    (void)!write(1, "aborted\n", 8);
    _exit(3);
}

/* It can do less than the others from here on. */
static void *drops(void *arg)
{
    CHECK(syscall(SYS_setresuid, 1001, 1002, 1003) == 0);
    pthread_barrier_wait(&changed);
    pause();
    return arg;
}

static void fails_for_some(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        pthread_t t;
        CHECK(signal(SIGABRT, aborted) != SIG_ERR);
        CHECK(pthread_barrier_init(&changed, NULL, 2) == 0);
        CHECK(pthread_create(&t, NULL, drops, NULL) == 0);
        pthread_barrier_wait(&changed);
        _exit(setresuid(2001, 2002, 2003) == 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

int main(void)
{
    pthread_t t[THREADS + 1];
    if (geteuid() != 0) { // nothing to change without privilege: the same answer everywhere
        printf("users changed\n");
        return 0;
    }
    fails_for_some();
    CHECK(pthread_barrier_init(&changed, NULL, THREADS + 1) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, looker, (void *)i) == 0);
    CHECK(pthread_create(&t[THREADS], NULL, changer, NULL) == 0);
    for (int i = 0; i <= THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(setuid(0) == 0 && setgid(0) == 0 && initgroups("root", 0) == 0 && setreuid(0, 0) == 0);
    printf("users changed\n");
    return 0;
}
