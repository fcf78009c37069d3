// Proves: system and popen from threads give status and output and leave other threads running.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "check.h"

static atomic_int stop, turns;

static void *ticker(void *arg)
{
    while (!stop) {
        turns++;
        usleep(1000);
    }
    return arg;
}

static void *body(void *arg)
{
    char command[64], line[64], expect[64];
    int id = (int)(intptr_t)arg;
    snprintf(command, sizeof command, "exit %d", id);
    int status = system(command);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == id);
    snprintf(command, sizeof command, "echo number %d; sleep 0.2; exit 5", id);
    snprintf(expect, sizeof expect, "number %d\n", id);
    FILE *f = popen(command, "r");
    CHECK(f != NULL && fwide(f, 0) < 0);
    CHECK(fgets(line, sizeof line, f) && strcmp(line, expect) == 0);
    CHECK(fgets(line, sizeof line, f) == NULL);
    status = pclose(f);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    f = popen("cat >/dev/null", "w");
    CHECK(f && fputs("text\n", f) >= 0 && pclose(f) == 0);
    return NULL;
}

int main(void)
{
    pthread_t t[8], k = spawn(ticker, NULL);
    double start = now();
    for (intptr_t i = 0; i < 8; i++)
        t[i] = spawn(body, (void *)i);
    for (int i = 0; i < 8; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    int seen = turns;
    CHECK(seen >= 50); // the 0.2 s sleeps alone leave room for far more
    CHECK(now() - start < 8);
    stop = 1;
    CHECK(pthread_join(k, NULL) == 0);
    body((void *)9); // from main, alone
    puts("commands ok");
    return 0;
}
