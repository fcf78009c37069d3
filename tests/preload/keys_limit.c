// Proves: all PTHREAD_KEYS_MAX keys can be had and used, one more is EAGAIN, and a reused key
// starts empty.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_key_t key[PTHREAD_KEYS_MAX + 1];

static void *body(void *arg)
{
    int n = *(int *)arg;
    for (int i = 0; i < n; i++)
        CHECK(pthread_getspecific(key[i]) == NULL && pthread_setspecific(key[i], &key[i]) == 0);
    usleep(100);
    for (int i = 0; i < n; i++)
        CHECK(pthread_getspecific(key[i]) == &key[i]);
    return NULL;
}

int main(void)
{
    int n = 0, rc;
    pthread_t t[4];
    while ((rc = pthread_key_create(&key[n], NULL)) == 0)
        CHECK(++n <= PTHREAD_KEYS_MAX);
    CHECK(rc == EAGAIN);
    CHECK(n >= PTHREAD_KEYS_MAX - 8);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++)
            CHECK(pthread_create(&t[i], NULL, body, &n) == 0);
        for (int i = 0; i < 4; i++)
            CHECK(pthread_join(t[i], NULL) == 0);
    }
    CHECK(pthread_setspecific(key[n / 2], &n) == 0);
    CHECK(pthread_key_delete(key[n / 2]) == 0);
    CHECK(pthread_key_create(&key[n / 2], NULL) == 0);
    CHECK(pthread_getspecific(key[n / 2]) == NULL);
    puts("keys up to the limit ok");
    return 0;
}
