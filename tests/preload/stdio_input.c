// flags: -D_FORTIFY_SOURCE=2
// Proves: streams on pipes and sockets whose data comes in pieces, each from another thread: fread,
// fgets, getc, getc_unlocked, getline, getdelim, fscanf, scanf, ungetc, buffered and not, end of
// file and timeouts; a short scan leaves the rest of its input.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

// Sends "line 0\nline 1\n...", each in two pieces with a pause between.
static void *feeder(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char text[32];
    for (int i = 0; i < 10; i++) {
        int n = snprintf(text, sizeof text, "line %d\n", i);
        CHECK(write(fd, text, 3) == 3);
        usleep(300);
        CHECK(write(fd, text + 3, (size_t)n - 3) == n - 3);
    }
    CHECK(close(fd) == 0);
    return NULL;
}

enum { ALL = 70 }; // bytes that a feeder sends

static void by_fread(FILE *f)
{
    char all[100];
    CHECK(fread(all, 7, 3, f) == 3 && memcmp(all, "line 0\nline 1\nline 2\n", 21) == 0);
    CHECK(fread(all, 1, sizeof all, f) == ALL - 21 && feof(f) && !ferror(f));
    CHECK(memcmp(all + ALL - 28, "line 9\n", 7) == 0);
}

static void by_fgets(FILE *f)
{
    char line[64], expect[64];
    CHECK(fgets(line, 4, f) && strcmp(line, "lin") == 0);
    CHECK(fgets(line, 1, f) && line[0] == 0);
    CHECK(fgets(line, sizeof line, f) && strcmp(line, "e 0\n") == 0);
    for (int i = 1; i < 10; i++) {
        snprintf(expect, sizeof expect, "line %d\n", i);
        CHECK(fgets(line, sizeof line, f) && strcmp(line, expect) == 0);
    }
    CHECK(!fgets(line, sizeof line, f) && feof(f));
}

static void by_getc(FILE *f)
{
    int n = 0, c;
    CHECK(getc(f) == 'l' && fgetc(f) == 'i' && ungetc('x', f) == 'x' && ungetc('y', f) == 'y');
    CHECK(getc(f) == 'y' && getc_unlocked(f) == 'x' && getc_unlocked(f) == 'n');
    for (; (c = n % 2 ? getc_unlocked(f) : fgetc(f)) != EOF; n++)
        if (c == '9')
            CHECK(n == ALL - 5);
    CHECK(n == ALL - 3 && getc(f) == EOF);
}

static void by_getline(FILE *f)
{
    char *line = NULL;
    size_t size = 0;
    CHECK(getdelim(&line, &size, ' ', f) == 5 && strcmp(line, "line ") == 0 && size >= 6);
    CHECK(getline(&line, &size, f) == 2 && strcmp(line, "0\n") == 0);
    for (int i = 1; i < 10; i++)
        CHECK(getline(&line, &size, f) == 7 && line[5] == '0' + i && line[7] == 0);
    CHECK(getline(&line, &size, f) == -1 && feof(f));
    CHECK(getline(NULL, &size, f) == -1 && errno == EINVAL);
    CHECK(ungetc('x', f) == 'x' && fputc('y', f) == EOF && ferror(f));
    CHECK(getline(&line, &size, f) == -1); /* after an error it does not even look */
    clearerr(f);
    CHECK(getline(&line, &size, f) == 1 && line[0] == 'x');
    free(line);
}

static void by_scanf(FILE *f)
{
    char word[16], rest;
    int n, at;
    for (int i = 0; i < 9; i++)
        CHECK(fscanf(f, " %15s %d", word, &n) == 2 && n == i && strcmp(word, "line") == 0);
    CHECK(fscanf(f, "%n%d", &at, &n) == 0 && at == 0); // "\nline 9": not a number
    CHECK(fscanf(f, " lin%c %d", &rest, &n) == 2 && rest == 'e' && n == 9);
    CHECK(getc(f) == '\n' && fscanf(f, "%d", &n) == EOF && feof(f) && !ferror(f));
}

static void unbuffered(FILE *f)
{
    setvbuf(f, NULL, _IONBF, 0);
    by_fgets(f);
}

static void (*const ways[])(FILE *) = {by_fread,   by_fgets, by_getc,
                                       by_getline, by_scanf, unbuffered};
enum { WAYS = sizeof ways / sizeof *ways };

static void *reader(void *arg)
{
    int which = (int)(intptr_t)arg, fds[2];
    CHECK((which & 1 ? pipe(fds) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds)) == 0);
    FILE *f = fdopen(fds[0], "r");
    pthread_t feed = spawn(feeder, (void *)(intptr_t)fds[1]);
    CHECK(f != NULL);
    ways[which / 2](f);
    CHECK(pthread_join(feed, NULL) == 0 && fclose(f) == 0);
    return NULL;
}

static void *timeout(void *arg)
{
    int fds[2];
    struct timeval tv = {0, 20000};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    CHECK(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0);
    FILE *f = fdopen(fds[0], "r+");
    CHECK(f && getc(f) == EOF && errno == EAGAIN && ferror(f) && !feof(f));
    clearerr(f);
    CHECK(write(fds[1], "x", 1) == 1 && getc(f) == 'x' && !ferror(f));
    CHECK(fputs("answer", f) >= 0); // goes out when reading begins
    char text[6];
    CHECK(getc(f) == EOF && ferror(f) && read(fds[1], text, 6) == 6 && !memcmp(text, "answer", 6));
    CHECK(fclose(f) == 0 && close(fds[1]) == 0);
    return arg;
}

int main(void)
{
    pthread_t t[2 * WAYS + 1];
    int p[2], n, sum = 0;
    for (intptr_t i = 0; i < 2 * WAYS; i++)
        t[i] = spawn(reader, (void *)i);
    t[2 * WAYS] = spawn(timeout, NULL);
    for (int i = 0; i <= 2 * WAYS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pipe(p) == 0 && dup2(p[0], 0) == 0 && close(p[0]) == 0);
    t[0] = spawn(feeder, (void *)(intptr_t)p[1]);
    while (scanf("line %d\n", &n) == 1)
        sum += n;
    CHECK(getchar() == EOF && feof(stdin) && pthread_join(t[0], NULL) == 0);
    printf("sum %d\n", sum);
    return 0;
}
