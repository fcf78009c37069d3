// Proves: streams of wide characters on pipes whose data comes in pieces, perror, fflush of all streams, and fopen and
// freopen of a FIFO wait in their thread alone: the writers and readers at the other ends are its neighbours.
#define _GNU_SOURCE
#include <fcntl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <wchar.h>

#include "check.h"

// What programs compiled to an older standard, or with _FORTIFY_SOURCE, call.
int old_fwscanf(FILE *f, const wchar_t *format, ...) __asm__("fwscanf");
int old_wscanf(const wchar_t *format, ...) __asm__("wscanf");
int old_vfwscanf(FILE *f, const wchar_t *format, va_list ap) __asm__("vfwscanf");
int checked_fwprintf(FILE *f, int flag, const wchar_t *format, ...) __asm__("__fwprintf_chk");
int checked_wprintf(int flag, const wchar_t *format, ...) __asm__("__wprintf_chk");
int checked_vfwprintf(FILE *f, int flag, const wchar_t *format,
                      va_list ap) __asm__("__vfwprintf_chk");

static FILE *in, *out;
static int fds[2];

static void make_pair(void)
{
    CHECK(pipe(fds) == 0 && (in = fdopen(fds[0], "r")) && (out = fdopen(fds[1], "w")));
}

static void *feeder(void *arg)
{
    for (const char *s = arg; *s; s++) {
        usleep(500);
        CHECK(write(fds[1], s, 1) == 1);
    }
    return NULL;
}

static int scan(FILE *f, const wchar_t *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int r = f ? vfwscanf(f, format, ap) : old_vfwscanf(in, format, ap);
    va_end(ap);
    return r;
}

static void input(void)
{
    wchar_t line[64], word[16];
    int n;
    make_pair();
    pthread_t t = spawn(feeder, "grün ∞\nzweite\n42 wort\n7 x");
    CHECK(fgetwc(in) == L'g' && getwc(in) == L'r' && fgetwc_unlocked(in) == L'ü' &&
          ungetwc(L'u', in) == L'u');
    CHECK(fgetws(line, 64, in) && wcscmp(line, L"un ∞\n") == 0);
    CHECK(fgetws_unlocked(line, 64, in) && wcscmp(line, L"zweite\n") == 0);
    CHECK(fwscanf(in, L"%d %15ls", &n, word) == 2 && n == 42 && wcscmp(word, L"wort") == 0);
    CHECK(scan(in, L"%d", &n) == 1 && n == 7 && getwc_unlocked(in) == L' ');
    CHECK(fgetwc(in) == L'x' && pthread_join(t, NULL) == 0 && fclose(out) == 0);
    CHECK(fgetwc(in) == WEOF && feof(in) && fgetws(line, 4, in) == NULL && fclose(in) == 0);
    make_pair();
    t = spawn(feeder, "q1 2 3 4 ");
    FILE *keep = stdin;
    stdin = in;
    CHECK(getwchar() == L'q' && wscanf(L"%d", &n) == 1 && n == 1);
    CHECK(old_wscanf(L"%d", &n) == 1 && n == 2 && old_fwscanf(in, L"%d", &n) == 1 && n == 3);
    CHECK(scan(NULL, L"%d", &n) == 1 && n == 4);
    stdin = keep;
    CHECK(pthread_join(t, NULL) == 0 && fclose(in) == 0 && fclose(out) == 0);
}

static int print(const wchar_t *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int r = *format == L'%' ? vfwprintf(out, format, ap) : checked_vfwprintf(out, 1, format, ap);
    va_end(ap);
    return r;
}

static int print_stdout(const wchar_t *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int r = vwprintf(format, ap);
    va_end(ap);
    return r;
}

static void *slow_reader(void *arg)
{
    size_t *total = arg;
    char buf[3000];
    ssize_t n;
    while ((n = read(fds[0], buf, sizeof buf)) > 0) {
        *total += (size_t)n;
        usleep(100);
    }
    return NULL;
}

static void output(void)
{
    size_t total = 0;
    make_pair();
    pthread_t t = spawn(slow_reader, &total);
    for (int i = 0; i < 4000; i++)
        CHECK(fputws(L"∞ lines of wide characters\n", out) >= 0);
    CHECK(fputwc(L'ü', out) == L'ü' && putwc(L'a', out) == L'a' &&
          fputwc_unlocked(L'b', out) == L'b');
    CHECK(putwc_unlocked(L'c', out) == L'c' && fputws_unlocked(L"d", out) >= 0);
    CHECK(fwprintf(out, L"%ls %d", L"∞", 5) == 3 && print(L"%d", 77) == 2);
    CHECK(print(L"=%d", 77) == 3 && checked_fwprintf(out, 1, L"%d", 1) == 1);
    FILE *keep = stdout;
    stdout = out;
    CHECK(wprintf(L"%d", 8) == 1 && print_stdout(L"%d", 9) == 1 &&
          checked_wprintf(1, L"%d", 9) == 1 && putwchar(L'!') == L'!');
    stdout = keep;
    CHECK(fclose(out) == 0 && pthread_join(t, NULL) == 0 && fclose(in) == 0);
    printf("wide output: %zu\n", total);
}

static void fill(int fd)
{
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    while (write(fd, "0123456789", 1) == 1)
        ;
    CHECK(fcntl(fd, F_SETFL, 0) == 0);
}

static void *late_drain(void *arg)
{
    char *buf = malloc(1 << 20);
    usleep(5000);
    ssize_t n = read(fds[0], buf, 1 << 20);
    usleep(5000);
    n += read(fds[0], buf + n, 1000);
    buf[n] = 0;
    printf("%s", strchr(buf, '0') ? buf + strspn(buf, "0") : buf);
    free(buf);
    return arg;
}

static void stuck_output(void)
{
    FILE *keep = stderr;
    make_pair();
    fill(fds[1]);
    pthread_t t = spawn(late_drain, NULL);
    CHECK(setvbuf(out, NULL, _IONBF, 0) == 0);
    stderr = out;
    errno = ENOENT;
    perror("what");
    stderr = keep;
    CHECK(pthread_join(t, NULL) == 0);
    stderr = out;
    errno = EDOM;
    perror(NULL);
    stderr = keep;
    char text[64] = "";
    CHECK(read(fds[0], text, 63) > 0);
    printf("%s", text);
    CHECK(fclose(out) == 0 && fclose(in) == 0);
    make_pair();
    fill(fds[1]);
    CHECK(fputs("flushed\n", out) >= 0);
    t = spawn(late_drain, NULL);
    CHECK(fflush(NULL) == 0 && pthread_join(t, NULL) == 0);
    CHECK(fclose(out) == 0 && fclose(in) == 0);
}

static void *opens_for_writing(void *arg)
{
    usleep(5000);
    FILE *f = fopen(arg, "w");
    CHECK(f && fputs("through the fifo\n", f) >= 0 && fclose(f) == 0);
    return NULL;
}

static void fifo(void)
{
    char dir[] = "/tmp/stdio_wide.XXXXXX", path[64], line[64];
    CHECK(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/fifo", dir);
    CHECK(mkfifo(path, 0600) == 0);
    pthread_t t = spawn(opens_for_writing, path);
    FILE *f = fopen(path, "r");
    CHECK(f && fgets(line, sizeof line, f));
    printf("%s", line);
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(opens_for_writing, path);
    CHECK((f = freopen(path, "r", f)) && fgets(line, sizeof line, f));
    printf("%s", line);
    CHECK(pthread_join(t, NULL) == 0 && fclose(f) == 0 && unlink(path) == 0 && rmdir(dir) == 0);
    CHECK(fopen("/nowhere/at/all", "r") == NULL && errno == ENOENT);
}

// Without a terminal: from standard input.
static void password(void)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        make_pair();
        stdin = in;
        stderr = stdout;
        spawn(feeder, "secret\n");
        const char *word = getpass("password? ");
        printf("%s\n", word);
        fflush(stdout);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void *all(void *arg)
{
    input();
    output();
    stuck_output();
    fifo();
    password();
    return arg;
}

int main(void)
{
    CHECK(setlocale(LC_ALL, "C.UTF-8"));
    CHECK(pthread_join(spawn(all, NULL), NULL) == 0);
    return 0;
}
