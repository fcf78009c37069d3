// Proves: a thread that waits for input holds its stream's lock; others wait for the lock in fgets,
// feof, ungetc and flockfile until it has its line; flockfile is recursive; a cancelled reader
// gives the lock back.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static FILE *in;
static int feed;
static atomic_int lines, done;

static void *takes_line(void *arg)
{
    char line[16];
    CHECK(fgets(line, sizeof line, in) && strcmp(line, "hello\n") == 0);
    lines++;
    return arg;
}

static void *asks(void *arg)
{
    CHECK(!feof(in) && !ferror(in));
    done++;
    return arg;
}

static void *locks(void *arg)
{
    flockfile(in);
    flockfile(in);
    CHECK(ftrylockfile(in) == 0);
    usleep(2000);
    funlockfile(in);
    funlockfile(in);
    usleep(2000);
    funlockfile(in);
    done++;
    return arg;
}

static void *cancelled(void *arg)
{
    getc(in);
    return arg;
}

static void until_locked(void)
{
    while (ftrylockfile(in) == 0) {
        funlockfile(in);
        usleep(1000);
    }
}

int main(void)
{
    pthread_t t[9], c;
    void *result;
    int p[2];
    CHECK(pipe(p) == 0 && (in = fdopen(p[0], "r")));
    feed = p[1];
    for (int i = 0; i < 3; i++)
        t[i] = spawn(takes_line, NULL);
    until_locked(); // one of them waits with the lock
    for (int i = 3; i < 6; i++) {
        t[i] = spawn(asks, NULL);
        t[i + 3] = spawn(locks, NULL);
    }
    usleep(20000);
    CHECK(lines == 0 && done == 0);
    CHECK(write(feed, "hello\nhello\nhel", 15) == 15);
    while (lines < 2)
        usleep(1000);
    CHECK(write(feed, "lo\n", 3) == 3);
    for (int i = 0; i < 9; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(lines == 3 && done == 6);
    c = spawn(cancelled, NULL);
    until_locked();
    CHECK(pthread_cancel(c) == 0 && pthread_join(c, &result) == 0);
    CHECK(result == PTHREAD_CANCELED && ftrylockfile(in) == 0);
    funlockfile(in);
    CHECK(write(feed, "x", 1) == 1 && getc(in) == 'x' && ungetc('y', in) == 'y' && getc(in) == 'y');
    CHECK(close(feed) == 0 && getc(in) == EOF && fclose(in) == 0);
    puts("locks ok");
    return 0;
}
