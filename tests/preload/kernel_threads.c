// only-preload
// Proves: 1,000 pthreads blocked in reads, sleeps and conditions show as a handful of kernel
// threads.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int p[2];

static void *body(void *arg)
{
    char c;
    switch ((intptr_t)arg % 3) {
    case 0:
        (void)!read(p[0], &c, 1);
        break;
    case 1:
        sleep(100);
        break;
    default:
        pthread_mutex_lock(&lock);
        for (;;)
            pthread_cond_wait(&never, &lock);
    }
    return NULL;
}

int main(void)
{
    pthread_t t;
    int tasks = 0;
    CHECK(pipe(p) == 0);
    for (intptr_t i = 0; i < 1000; i++)
        CHECK(pthread_create(&t, NULL, body, (void *)i) == 0);
    usleep(200000);
    DIR *d = opendir("/proc/self/task");
    CHECK(d != NULL);
    while (readdir(d))
        tasks++;
    closedir(d);
    if (tasks - 2 > 12)
        printf("%d kernel threads\n", tasks - 2);
    puts("a handful");
    return 0;
}
