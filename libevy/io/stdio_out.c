/* Green writing to streams. */
#include "io/stdio.h"

#include "io/blocking.h"
#include "io/calls.h"
#include "io/fdtab.h"
#include "io/stream.h"
#include "real/real.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int __vasprintf_chk(char **text, int flag, const char *format, va_list ap);

static int put_char(FILE *f, int c)
{
    char byte = (char)c;
    return stream_put(f, &byte, 1) == 1 ? (unsigned char)c : EOF;
}

int evy___overflow(FILE *f, int c)
{
    int r;
    if (!stream_enter(f))
        r = REAL(__overflow)(f, c);
    else
        r = c == EOF ? stream_drain(f) : put_char(f, c);
    stream_leave(f);
    return r;
}

int evy_putc(int c, FILE *f)
{
    int r = stream_enter(f) ? put_char(f, c) : REAL(putc)(c, f);
    stream_leave(f);
    return r;
}

size_t evy_fwrite(const void *buf, size_t size, size_t n, FILE *f)
{
    size_t bytes = size * n;
    if (bytes == 0)
        return 0;
    size_t r = stream_enter(f) ? stream_put(f, buf, bytes) / size : REAL(fwrite)(buf, size, n, f);
    stream_leave(f);
    return r;
}

static bool put_text(FILE *f, const char *s)
{
    size_t n = strlen(s);
    return stream_put(f, s, n) == n;
}

int evy_fputs(const char *s, FILE *f)
{
    int r;
    if (!stream_enter(f))
        r = REAL(fputs)(s, f);
    else
        r = put_text(f, s) ? 1 : EOF;
    stream_leave(f);
    return r;
}

int evy_puts(const char *s)
{
    FILE *f = stdout;
    int r;
    if (!stream_enter(f))
        r = REAL(puts)(s);
    else
        r = put_text(f, s) && put_text(f, "\n") ? (int)strlen(s) + 1 : EOF;
    stream_leave(f);
    return r;
}

/* All streams, whoever holds them and wherever they go. */
static int flush_all(void)
{
    int r = evy_fflush(stdout);
    return BLOCKING(LOOKUP, int, REAL(fflush)(NULL)) == EOF ? EOF : r;
}

int evy_fflush(FILE *f)
{
    if (!f)
        return flush_all();
    int r =
        stream_enter(f) && f->_IO_write_ptr > f->_IO_write_base ? stream_drain(f) : REAL(fflush)(f);
    stream_leave(f);
    return r;
}

void evy_perror(const char *what)
{
    char *line, text[256];
    int error = errno;
    bool named = what && *what;
    const char *why = strerror_r(error, text, sizeof text);
    bool ours = stream_enter(stderr) &&
                asprintf(&line, "%s%s%s\n", named ? what : "", named ? ": " : "", why) >= 0;
    if (ours) {
        put_text(stderr, line);
        free(line);
    } else {
        errno = error;
        REAL(perror)(what);
    }
    stream_leave(stderr);
}

/* Formatted before it is written, as libc writes in the middle of formatting. */
static int put_formatted(FILE *f, int flag, const char *format, va_list ap)
{
    char *text;
    int n = __vasprintf_chk(&text, flag, format, ap);
    if (n < 0)
        return n;
    if (stream_put(f, text, (size_t)n) != (size_t)n)
        n = -1;
    free(text);
    return n;
}

int evy___vfprintf_chk(FILE *f, int flag, const char *format, va_list ap)
{
    int r = stream_enter(f) ? put_formatted(f, flag, format, ap)
                            : REAL(__vfprintf_chk)(f, flag, format, ap);
    stream_leave(f);
    return r;
}

int evy___vdprintf_chk(int fd, int flag, const char *format, va_list ap)
{
    char *text;
    const struct fd *s = fd_known(fd);
    if (!s || fd_kind(s) == FD_FILE || fd_kind(s) == FD_UNKNOWN)
        return REAL(__vdprintf_chk)(fd, flag, format, ap);
    int n = __vasprintf_chk(&text, flag, format, ap);
    if (n < 0)
        return n;
    ssize_t out = evy_write(fd, text, (size_t)n);
    free(text);
    return out == n ? n : -1;
}
