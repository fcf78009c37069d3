// only-preload
// limit: 60
// Proves: 100,000 pthreads (64 KB stacks, argv[1] overrides the number) park at once and are
// joined. Bytes per parked thread go to the file named by PARK_REPORT: resident and page-table
// pages counted apart.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t parked = PTHREAD_COND_INITIALIZER, go = PTHREAD_COND_INITIALIZER;
static int threads, waiting, released;

static void *body(void *arg)
{
    pthread_mutex_lock(&lock);
    if (++waiting == threads)
        pthread_cond_signal(&parked);
    while (!released)
        pthread_cond_wait(&go, &lock);
    waiting--;
    pthread_mutex_unlock(&lock);
    return arg;
}

static long status(const char *field) // in KB
{
    char line[256];
    long value = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, field, strlen(field)) == 0)
            value = atol(line + strlen(field));
    if (f)
        fclose(f);
    return value;
}

int main(int argc, char **argv)
{
    pthread_attr_t a;
    void *result;
    threads = argc > 1 ? atoi(argv[1]) : 100000;
    pthread_t *t = malloc(sizeof *t * (size_t)threads);
    CHECK(t && pthread_attr_init(&a) == 0 && pthread_attr_setstacksize(&a, 64 * 1024) == 0);
    memset(t, 1, sizeof *t * (size_t)threads);
    long rss = status("VmRSS:"), tables = status("VmPTE:");
    for (int i = 0; i < threads; i++)
        CHECK(pthread_create(&t[i], &a, body, (void *)(intptr_t)i) == 0);
    pthread_mutex_lock(&lock);
    while (waiting < threads)
        pthread_cond_wait(&parked, &lock);
    const char *report = getenv("PARK_REPORT");
    FILE *f = report ? fopen(report, "w") : NULL;
    if (f) {
        fprintf(f,
                "{\"threads\": %d, \"rss_bytes\": %ld, \"page_table_bytes\": %ld, "
                "\"kernel_threads\": %ld}\n",
                threads, (status("VmRSS:") - rss) * 1024 / threads,
                (status("VmPTE:") - tables) * 1024 / threads, status("Threads:"));
        fclose(f);
    }
    puts("parked");
    released = 1;
    pthread_cond_broadcast(&go);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < threads; i++)
        CHECK(pthread_join(t[i], &result) == 0 && result == (void *)(intptr_t)i);
    CHECK(waiting == 0);
    puts("joined");
    return 0;
}
