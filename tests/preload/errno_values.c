// Proves: errno belongs to the thread: calls that fail or block in one thread leave the others'
// errno alone.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 100, TURNS = 50 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *keeper(void *arg)
{
    int mine = 1000 + (int)(intptr_t)arg, p[2];
    char c;
    CHECK(errno == 0);
    CHECK(pipe(p) == 0);
    errno = mine;
    for (int i = 0; i < TURNS; i++) {
        sched_yield();
        CHECK(errno == mine);
        pthread_mutex_lock(&lock);
        CHECK(errno == mine);
        pthread_mutex_unlock(&lock);
        CHECK(errno == mine);
        usleep(200);
        CHECK(errno == mine);
        CHECK(write(p[1], "x", 1) == 1 && read(p[0], &c, 1) == 1);
        CHECK(errno == mine);
    }
    close(p[0]);
    close(p[1]);
    return NULL;
}

static void *spoiler(void *arg)
{
    char c;
    (void)arg;
    for (int i = 0; i < TURNS * 4; i++) {
        CHECK(read(-1, &c, 1) == -1 && errno == EBADF);
        usleep(50);
        CHECK(errno == EBADF);
        CHECK(open("/no/such/file", O_RDONLY) == -1 && errno == ENOENT);
        sched_yield();
        CHECK(errno == ENOENT);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS], s[10];
    errno = 77;
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(keeper, (void *)(intptr_t)i);
    for (int i = 0; i < 10; i++)
        s[i] = spawn(spoiler, NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(s[i], NULL) == 0);
    CHECK(errno == 77);
    puts("errno ok");
    return 0;
}
