// flags: -fno-inline -fno-builtin
// Proves: the stdio calls that other tests do not make give in a thread what they give natively: unlocked
// ones, scanf and printf by argument list, positions, large-file names, the standard streams.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "check.h"
/* Without these the header takes their C99 names. */
int old_scanf(const char *format, ...) __asm__("scanf");
int old_fscanf(FILE *f, const char *format, ...) __asm__("fscanf");
int old_vscanf(const char *format, va_list ap) __asm__("vscanf");
int old_vfscanf(FILE *f, const char *format, va_list ap) __asm__("vfscanf");
int __underflow(FILE *f);

static char path[] = "/tmp/stdio_kinds.XXXXXX";
static int in[2];

static void *feed(void *arg)
{
    const char text[] = "ab12 34 56 1 2 3\nline\n";
    usleep(10000);
    CHECK(write(in[1], text, sizeof text - 1) == sizeof text - 1 && close(in[1]) == 0);
    return arg;
}

static int scan(FILE *f, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = f ? vfscanf(f, format, ap) : vscanf(format, ap);
    va_end(ap);
    return n;
}

static int old_scan(FILE *f, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = f ? old_vfscanf(f, format, ap) : old_vscanf(format, ap);
    va_end(ap);
    return n;
}

static void standard_input(void)
{
    int a = 0, b = 0, c = 0;
    char *line = NULL;
    size_t size = 0;
    CHECK(getchar() == 'a' && getchar_unlocked() == 'b');
    CHECK(scanf("%d", &a) == 1 && scan(NULL, "%d", &b) == 1 && scan(stdin, "%d ", &c) == 1);
    CHECK(a == 12 && b == 34 && c == 56);
    CHECK(old_scanf("%d", &a) == 1 && old_scan(NULL, "%d", &b) == 1);
    CHECK(old_scan(stdin, "%d ", &c) == 1 && a == 1 && b == 2 && c == 3);
    CHECK(getline(&line, &size, stdin) == 5 && strcmp(line, "line\n") == 0);
    CHECK(getchar() == EOF && feof(stdin));
    free(line);
}

static void print(FILE *f, int fd, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (f)
        vfprintf(f, format, ap);
    else if (fd)
        vdprintf(fd, format, ap);
    else
        vprintf(format, ap);
    va_end(ap);
}

static void standard_output(void)
{
    CHECK(putchar('o') == 'o' && putchar_unlocked('k') == 'k' &&
          putc_unlocked('\n', stdout) == '\n');
    print(NULL, 0, "%d\n", 1);
    print(stdout, 0, "%d\n", 2);
    CHECK(fputs_unlocked("three\n", stdout) >= 0 && fwrite_unlocked("four\n", 1, 5, stdout) == 5);
    CHECK(fputc_unlocked('5', stdout) == '5' && fputc_unlocked('\n', stdout) == '\n');
    CHECK(fflush_unlocked(stdout) == 0);
    print(NULL, 1, "%s\n", "six");
}

static void positions(void)
{
    char buf[8];
    int n;
    FILE *f = fopen64(path, "w+");
    CHECK(f && fputs("0123456789\n", f) >= 0 && ftell(f) == 11 && ftello(f) == 11);
    CHECK(fseek(f, 4, SEEK_SET) == 0 && getc_unlocked(f) == '4' && fgetc_unlocked(f) == '5');
    CHECK(fseeko(f, -3, SEEK_END) == 0 && fscanf(f, "%d", &n) == 1 && n == 89);
    CHECK(fseek(f, 8, SEEK_SET) == 0 && old_fscanf(f, "%d", &n) == 1 && n == 89);
    rewind(f);
    CHECK(__underflow(f) == '0' && getc(f) == '0');
    CHECK(fseeko64(f, 1, SEEK_SET) == 0 && ftello64(f) == 1);
    CHECK(fread_unlocked(buf, 1, 3, f) == 3 && memcmp(buf, "123", 3) == 0);
    CHECK(fgets_unlocked(buf, 4, f) && strcmp(buf, "456") == 0);
    CHECK((f = freopen(path, "r", f)) != NULL && getc(f) == '0');
    CHECK((f = freopen64(path, "r", f)) != NULL && getc(f) == '0' && fclose(f) == 0);
}

static void descriptors(void)
{
    int fd = creat(path, 0600);
    CHECK(fd >= 0 && fcntl64(fd, F_GETFL) & O_WRONLY && close(fd) == 0);
    CHECK((fd = creat64(path, 0600)) >= 0 && lockf(fd, F_LOCK, 0) == 0);
    CHECK(lockf64(fd, F_ULOCK, 0) == 0 && fsync(fd) == 0 && fdatasync(fd) == 0);
    CHECK(close(fd) == 0 && unlink(path) == 0);
}

/* Without a descriptor; success leaves errno alone. */
static void memory(void)
{
    char *text;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    errno = 0;
    CHECK(f && fputs("text", f) >= 0 && fclose(f) == 0 && n == 4 && errno == 0);
    free(text);
}

static void *all(void *arg)
{
    standard_input();
    standard_output();
    positions();
    descriptors();
    memory();
    return arg;
}

int main(void)
{
    pthread_t t[2];
    CHECK(close(mkstemp(path)) == 0);
    CHECK(pipe(in) == 0 && dup2(in[0], 0) == 0 && close(in[0]) == 0);
    CHECK(pthread_create(&t[0], NULL, all, NULL) == 0);
    CHECK(pthread_create(&t[1], NULL, feed, NULL) == 0);
    CHECK(pthread_join(t[0], NULL) == 0 && pthread_join(t[1], NULL) == 0);
    return 0;
}
