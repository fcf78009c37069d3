// Proves: named semaphores are one object per name, work between threads, and the usual errors of
// sem_open.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static sem_t *ping, *pong;

static void *answer(void *arg)
{
    int *count = arg;
    for (int i = 0; i < 1000; i++) {
        CHECK(sem_wait(ping) == 0);
        ++*count;
        CHECK(sem_post(pong) == 0);
    }
    return NULL;
}

int main(void)
{
    char name[64];
    int count = 0;
    pthread_t t;
    snprintf(name, sizeof name, "/evy-test-%d", (int)getpid());
    CHECK(sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
    ping = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    CHECK(ping != SEM_FAILED);
    CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST);
    sem_t *same = sem_open(name, 0);
    CHECK(same == ping);
    CHECK(sem_close(same) == 0);
    CHECK(sem_unlink(name) == 0);
    CHECK(sem_unlink(name) == -1 && errno == ENOENT);
    pong = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    CHECK(pong != SEM_FAILED && pong != ping);
    CHECK(sem_unlink(name) == 0);
    CHECK(pthread_create(&t, NULL, answer, &count) == 0);
    for (int i = 0; i < 1000; i++) {
        CHECK(sem_post(ping) == 0);
        CHECK(sem_wait(pong) == 0);
    }
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(sem_close(ping) == 0 && sem_close(pong) == 0);
    printf("answers %d\n", count);
    return 0;
}
