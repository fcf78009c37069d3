// flags: -D_FORTIFY_SOURCE=2
// Proves: streams that write more than a pipe or socket holds, to a slow reader thread, lose and
// reorder nothing: fprintf, fwrite, fputs, fputc, putc_unlocked, dprintf; full, line and no
// buffering; fflush, fclose; EPIPE sets the error indicator.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { NUMBERS = 40000 };

// Reads "0\n1\n2\n..." up to the end, and is slow at first.
static void *reader(void *arg)
{
    char buf[5000], number[16];
    int fd = (int)(intptr_t)arg, next = 0;
    size_t have = 0;
    ssize_t n;
    usleep(5000);
    while ((n = read(fd, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            CHECK(have < sizeof number);
            number[have++] = buf[i];
            if (buf[i] != '\n')
                continue;
            CHECK(atoi(number) == next);
            next++;
            have = 0;
        }
    CHECK(n == 0 && have == 0 && close(fd) == 0);
    return (void *)(intptr_t)next;
}

static void put_number(FILE *f, int i)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%d\n", i);
    switch (i % 5) {
    case 0:
        CHECK(fprintf(f, "%d\n", i) == n);
        break;
    case 1:
        CHECK(fputs(text, f) >= 0);
        break;
    case 2:
        CHECK(fwrite(text, 1, (size_t)n, f) == (size_t)n);
        break;
    case 3:
        for (int k = 0; k < n; k++)
            CHECK(fputc(text[k], f) == text[k]);
        break;
    default:
        for (int k = 0; k < n; k++)
            CHECK(putc_unlocked(text[k], f) == text[k]);
    }
}

static void *writer(void *arg)
{
    int which = (int)(intptr_t)arg, fds[2];
    CHECK((which & 1 ? pipe(fds) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds)) == 0);
    FILE *f = fdopen(fds[1], "w");
    pthread_t t = spawn(reader, (void *)(intptr_t)fds[0]);
    void *count;
    CHECK(f && setvbuf(f, NULL,
                       which / 2 == 0   ? _IOFBF
                       : which / 2 == 1 ? _IOLBF
                                        : _IONBF,
                       0) == 0);
    for (int i = 0; i < NUMBERS; i++)
        put_number(f, i);
    CHECK(fflush(f) == 0 && dprintf(fds[1], "%d\n%d\n", NUMBERS, NUMBERS + 1) == 12);
    CHECK(fprintf(f, "%d\n", NUMBERS + 2) == 6 && fclose(f) == 0);
    CHECK(pthread_join(t, &count) == 0 && (intptr_t)count == NUMBERS + 3);
    return NULL;
}

// One call with more than fits.
static void *big(void *arg)
{
    static char text[NUMBERS * 7];
    size_t n = 0;
    int fds[2];
    void *count;
    for (int i = 0; i < NUMBERS; i++)
        n += (size_t)sprintf(text + n, "%d\n", i);
    CHECK(pipe(fds) == 0);
    FILE *f = fdopen(fds[1], "w");
    pthread_t t = spawn(reader, (void *)(intptr_t)fds[0]);
    CHECK(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
    CHECK(pthread_join(t, &count) == 0 && (intptr_t)count == NUMBERS);
    return arg;
}

static void *broken(void *arg)
{
    int fds[2];
    CHECK(pipe(fds) == 0 && close(fds[0]) == 0);
    FILE *f = fdopen(fds[1], "w");
    CHECK(f && fputs("lost", f) >= 0 && !ferror(f));
    CHECK(fflush(f) == EOF && errno == EPIPE && ferror(f));
    CHECK(fputs("lost", f) >= 0 && fclose(f) == EOF && errno == EPIPE);
    return arg;
}

int main(void)
{
    pthread_t t[8];
    signal(SIGPIPE, SIG_IGN);
    for (intptr_t i = 0; i < 6; i++)
        t[i] = spawn(writer, (void *)i);
    t[6] = spawn(big, NULL);
    t[7] = spawn(broken, NULL);
    for (int i = 0; i < 8; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(printf("%s %d\n", "written", 6) == 10 && puts("all") >= 0 && putchar('\n') == '\n');
    return 0;
}
