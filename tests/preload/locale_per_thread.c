// Proves: uselocale is per thread and survives switches: neighbours in "C" and "C.UTF-8" see their
// own MB_CUR_MAX.
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "check.h"

enum { THREADS = 60, TURNS = 30 };

static locale_t plain, utf8;

static void *body(void *arg)
{
    int id = (int)(intptr_t)arg;
    locale_t mine = id % 3 == 0 ? plain : id % 3 == 1 ? utf8 : NULL;
    size_t width = id % 3 == 1 ? 6 : 1;
    CHECK(uselocale(NULL) == LC_GLOBAL_LOCALE);
    if (mine)
        CHECK(uselocale(mine) == LC_GLOBAL_LOCALE);
    for (int i = 0; i < TURNS; i++) {
        wchar_t w = 0;
        i % 5 ? sched_yield() : usleep(100);
        CHECK(uselocale(NULL) == (mine ? mine : LC_GLOBAL_LOCALE));
        CHECK(MB_CUR_MAX == width);
        if (id % 3 == 1)
            CHECK(mbrtowc(&w, "\xc3\xa9", 2, &(mbstate_t){0}) == 2 && w == 0xe9);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    plain = newlocale(LC_ALL_MASK, "C", NULL);
    utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
    CHECK(plain && utf8);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < THREADS; i++)
            t[i] = spawn(body, (void *)(intptr_t)i);
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_join(t[i], NULL) == 0);
    }
    CHECK(uselocale(NULL) == LC_GLOBAL_LOCALE);
    puts("uselocale ok");
    return 0;
}
