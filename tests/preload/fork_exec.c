// Proves: a thread may fork while others live; the child execs, prints or exits, and waitpid in
// the parent blocks only its thread and gives the true status.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static atomic_int stop, turns;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *busy(void *arg)
{
    while (!stop) {
        pthread_mutex_lock(&lock);
        turns++;
        pthread_mutex_unlock(&lock);
        usleep(500);
    }
    return arg;
}

static void *forker(void *arg)
{
    int id = (int)(intptr_t)arg, status, p[2];
    char b[64] = "";
    ssize_t n, have = 0;
    CHECK(pipe(p) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        if (id % 2) {
            dup2(p[1], 1);
            close(p[0]), close(p[1]);
            execl("/bin/echo", "echo", "from exec", NULL);
            _exit(99);
        }
        if (write(p[1], "from child\n", 11) != 11)
            _exit(98);
        usleep(1000);
        _exit(id);
    }
    CHECK(close(p[1]) == 0);
    while ((n = read(p[0], b + have, sizeof b - 1 - (size_t)have)) > 0)
        have += n;
    CHECK(strcmp(b, id % 2 ? "from exec\n" : "from child\n") == 0);
    CHECK(close(p[0]) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (id % 2 ? 0 : id));
    CHECK(waitpid(child, &status, 0) == -1 && errno == ECHILD);
    return NULL;
}

int main(void)
{
    pthread_t b[10], t[20];
    for (int i = 0; i < 10; i++)
        b[i] = spawn(busy, NULL);
    for (intptr_t i = 0; i < 20; i++)
        t[i] = spawn(forker, (void *)i);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    forker((void *)4);
    forker((void *)5);
    stop = 1;
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(b[i], NULL) == 0);
    CHECK(turns > 10);
    puts("children ok");
    return 0;
}
