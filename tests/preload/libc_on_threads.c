// Proves: the parts of libc that keep per-thread state work on new threads: ctype, strerror,
// strtok_r, localtime_r, qsort, printf of floats, inet_ntoa, h_errno.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 60 };

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void *body(void *arg)
{
    int id = (int)(intptr_t)arg, numbers[50];
    char line[128], *state, expect[128];
    CHECK(isalpha('x') && !isalpha('3') && toupper('q') == 'Q' && isspace('\t'));
    sched_yield();
    snprintf(expect, sizeof expect, "Unknown error %d", 5000 + id);
    const char *message = strerror(5000 + id); // a buffer per thread
    usleep(200);
    CHECK(strcmp(message, expect) == 0);
    CHECK(strcmp(strerror(ENOENT), "No such file or directory") == 0);
    snprintf(line, sizeof line, "a%d,b%d,c%d", id, id, id);
    CHECK(strtok_r(line, ",", &state)[0] == 'a');
    sched_yield();
    snprintf(expect, sizeof expect, "b%d", id);
    CHECK(strcmp(strtok_r(NULL, ",", &state), expect) == 0);
    snprintf(line, sizeof line, "%.3f %e", id + 0.125, id * 1e10);
    CHECK(strtod(line, NULL) == id + 0.125);
    struct in_addr a = {htonl(0x0a000000u + (unsigned)id)};
    const char *dotted = inet_ntoa(a); // a buffer per thread
    usleep(200);
    snprintf(expect, sizeof expect, "10.0.0.%d", id);
    CHECK(strcmp(dotted, expect) == 0);
    time_t moment = 86400L * id;
    struct tm tm;
    CHECK(gmtime_r(&moment, &tm) && tm.tm_hour == 0);
    for (int i = 0; i < 50; i++)
        numbers[i] = (i * 37 + id) % 50;
    qsort(numbers, 50, sizeof *numbers, by_value);
    for (int i = 0; i < 50; i++)
        CHECK(numbers[i] == i);
    h_errno = id; // the resolver's state is per thread too
    sched_yield();
    CHECK(h_errno == id);
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    char words[] = "one two";
    CHECK(strcmp(strtok(words, " "), "one") == 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < THREADS; i++)
            t[i] = spawn(body, (void *)(intptr_t)i);
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_join(t[i], NULL) == 0);
    }
    CHECK(strcmp(strtok(NULL, " "), "two") == 0);
    puts("libc on threads ok");
    return 0;
}
