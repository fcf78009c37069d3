// Proves: while every thread waits, nothing of the process wakes up, however long.
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 20, TRIES = 10 };

static int fds[THREADS][2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int stop; /* lock */

static void *waits_for_data(void *arg)
{
    char c;
    CHECK(recv(fds[(intptr_t)arg][0], &c, 1, 0) == 0);
    return arg;
}

static void *waits_for_stop(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!stop)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static long number_after(const char *text, const char *label)
{
    const char *at = strstr(text, label);
    return at ? atol(at + strlen(label)) : 0;
}

/* How often its kernel threads have been switched away from. */
static long switches(pid_t pid)
{
    char path[64], text[4096];
    long sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));) {
        char file[400];
        snprintf(file, sizeof file, "%s/%s/status", path, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(file, "r");
        if (!f)
            continue;
        text[fread(text, 1, sizeof text - 1, f)] = 0;
        fclose(f);
        sum += number_after(text, "\nvoluntary_ctxt_switches:") +
               number_after(text, "nonvoluntary_ctxt_switches:");
    }
    closedir(d);
    return sum;
}

/* A child, so that who looks is not looked at. */
static int look(pid_t parent)
{
    long least = 1000;
    for (int i = 0; i < TRIES && least; i++) {
        usleep(100000);
        long before = switches(parent);
        usleep(300000);
        long n = switches(parent) - before;
        least = n < least ? n : least;
    }
    printf("%ld wake-ups\n", least);
    fflush(stdout);
    return 0;
}

int main(void)
{
    pthread_t t[2 * THREADS];
    int status;
    pid_t parent = getpid(), child = fork();
    if (child == 0)
        _exit(look(parent));
    for (intptr_t i = 0; i < THREADS; i++) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]) == 0);
        t[i] = spawn(waits_for_data, (void *)i);
        t[THREADS + i] = spawn(waits_for_stop, NULL);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    pthread_mutex_lock(&lock);
    stop = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++)
        close(fds[i][1]);
    for (int i = 0; i < 2 * THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    return 0;
}
