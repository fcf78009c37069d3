// methods
// Proves: lines printed by many threads to one stream are never torn; flockfile keeps several
// calls together; each thread's own streams over pipes work with fgets and fprintf.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 40, LINES = 50 };

static FILE *out;

static void *printer(void *arg)
{
    int id = (int)(intptr_t)arg;
    for (int i = 0; i < LINES; i++) {
        if (i % 3 == 0) {
            flockfile(out);
            fprintf(out, "line %d", id);
            i % 2 ? sched_yield() : usleep(10);
            fprintf(out, " of %d", i);
            putc_unlocked('\n', out);
            funlockfile(out);
        } else {
            fprintf(out, "line %d of %d\n", id, i);
        }
    }
    return NULL;
}

static void *writes(void *arg)
{
    FILE *f = fdopen((int)(intptr_t)arg, "w");
    CHECK(f != NULL);
    for (int i = 0; i < 20; i++) {
        fprintf(f, "message %d\n", i);
        usleep(200);
        CHECK(fflush(f) == 0);
    }
    CHECK(fclose(f) == 0);
    return NULL;
}

static void *reads(void *arg)
{
    char line[64], expect[64];
    FILE *f = fdopen((int)(intptr_t)arg, "r");
    CHECK(f != NULL);
    for (int i = 0; i < 20; i++) {
        snprintf(expect, sizeof expect, "message %d\n", i);
        CHECK(fgets(line, sizeof line, f) && strcmp(line, expect) == 0);
    }
    CHECK(fgetc(f) == EOF && feof(f) && fclose(f) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    static unsigned char seen[THREADS][LINES];
    char line[100], rest;
    int id, n, good = 0;
    CHECK((out = tmpfile()) != NULL);
    for (intptr_t i = 0; i < THREADS; i++)
        t[i] = spawn(printer, (void *)i);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    rewind(out);
    while (fgets(line, sizeof line, out)) {
        CHECK(sscanf(line, "line %d of %d%c", &id, &n, &rest) == 3 && rest == '\n');
        good += !seen[id][n]++;
    }
    printf("whole lines %d\n", good);
    for (int i = 0; i < THREADS; i += 2) {
        int p[2];
        CHECK(pipe(p) == 0);
        t[i] = spawn(reads, (void *)(intptr_t)p[0]);
        t[i + 1] = spawn(writes, (void *)(intptr_t)p[1]);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    puts("streams ok");
    return 0;
}
