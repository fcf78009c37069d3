// Proves: malloc gives threads no arena each: with libevy there are at most two for each hub, natively eight for each
// processor, however many threads allocate.
#define _GNU_SOURCE
#include "check.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

enum { THREADS = 300 };

static pthread_barrier_t all;

static void *allocates(void *arg)
{
    void *kept[50];
    for (int i = 0; i < 50; i++) {
        CHECK((kept[i] = malloc((size_t)(100 + 40 * i))) != NULL);
        memset(kept[i], i, 100);
    }
    pthread_barrier_wait(&all);
    for (int i = 0; i < 50; i++)
        free(kept[i]);
    return arg;
}

static long arenas(void)
{
    char *text;
    size_t size;
    long n = 0;
    FILE *f = open_memstream(&text, &size);
    CHECK(f && malloc_info(0, f) == 0 && fclose(f) == 0);
    for (const char *at = text; (at = strstr(at, "<heap nr=")); at++)
        n++;
    free(text);
    return n;
}

int main(void)
{
    pthread_t t[THREADS];
    const char *hubs = getenv("EVY_HUBS");
    CHECK(pthread_barrier_init(&all, NULL, THREADS + 1) == 0);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(allocates, NULL);
    pthread_barrier_wait(&all);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(arenas() <= (hubs ? 2 * atol(hubs) : 8L * get_nprocs()));
    puts("bounded");
    return 0;
}
