/* Green reading from streams. */
#include "io/stdio.h"

#include "io/io.h"
#include "io/stream.h"
#include "real/real.h"

#include <stdlib.h>
#include <string.h>

int evy___underflow(FILE *f)
{
    int c = stream_enter(f) ? stream_fill(f) : REAL(__underflow)(f);
    stream_leave(f);
    return c;
}

/* The next character; the stream is ours. */
static int next(FILE *f)
{
    if (!stream_ready(f) && stream_fill(f) == EOF)
        return EOF;
    return *(unsigned char *)f->_IO_read_ptr++;
}

int evy___uflow(FILE *f)
{
    int c = stream_enter(f) ? next(f) : REAL(__uflow)(f);
    stream_leave(f);
    return c;
}

int evy_getc(FILE *f)
{
    int c = stream_enter(f) ? next(f) : REAL(getc)(f);
    stream_leave(f);
    return c;
}

/* Up to n bytes, or up to and including the character end (not for -1). */
static size_t take(FILE *f, char *buf, size_t n, int end)
{
    size_t got = 0;
    ssize_t past;
    const char *found = NULL;
    while (end < 0 && got < n && (past = stream_read_past(f, buf + got, n - got))) {
        if (past < 0)
            return got;
        got += (size_t)past;
    }
    while (got < n && !found && (stream_ready(f) || stream_fill(f) != EOF)) {
        size_t k = stream_ready(f) < n - got ? stream_ready(f) : n - got;
        found = end >= 0 ? memchr(f->_IO_read_ptr, end, k) : NULL;
        if (found)
            k = (size_t)(found - f->_IO_read_ptr) + 1;
        memcpy(buf + got, f->_IO_read_ptr, k);
        f->_IO_read_ptr += k;
        got += k;
    }
    return got;
}

size_t evy_fread(void *buf, size_t size, size_t n, FILE *f)
{
    size_t bytes = size * n;
    if (bytes == 0)
        return 0;
    size_t r = stream_enter(f) ? take(f, buf, bytes, -1) / size : REAL(fread)(buf, size, n, f);
    stream_leave(f);
    return r;
}

/* An error in this call makes the line worthless, except EAGAIN; an old one does not. */
static char *line(FILE *f, char *buf, int n)
{
    int old = f->_flags & _IO_ERR_SEEN;
    f->_flags &= ~_IO_ERR_SEEN;
    size_t got = take(f, buf, (size_t)n - 1, '\n');
    bool good = got && (!(f->_flags & _IO_ERR_SEEN) || errno == EAGAIN);
    f->_flags |= old;
    if (good)
        buf[got] = 0;
    return good ? buf : NULL;
}

char *evy_fgets(char *buf, int n, FILE *f)
{
    char *r = stream_enter(f) && n > 1 ? line(f, buf, n) : REAL(fgets)(buf, n, f);
    stream_leave(f);
    return r;
}

/* Room for need bytes. */
static bool grow(char **p, size_t *size, size_t need)
{
    if (*p && need <= *size)
        return true;
    size_t more = *p && need < 2 * *size ? 2 * *size : need;
    if (more < 120)
        more = 120; /* where glibc begins */
    char *grown = realloc(*p, more);
    if (!grown)
        return false;
    *p = grown;
    *size = more;
    return true;
}

/* After an error libc does not even look before clearerr. */
static ssize_t delimited(FILE *f, char **p, size_t *size, int end)
{
    size_t got = 0;
    if (f->_flags & _IO_ERR_SEEN || !grow(p, size, 1))
        return -1;
    while (stream_ready(f) || stream_fill(f) != EOF) {
        size_t k = stream_ready(f);
        const char *found = memchr(f->_IO_read_ptr, end, k);
        if (found)
            k = (size_t)(found - f->_IO_read_ptr) + 1;
        if (!grow(p, size, got + k + 1))
            return -1;
        got += take(f, *p + got, k, -1);
        if (found)
            break;
    }
    (*p)[got] = 0;
    return got ? (ssize_t)got : -1;
}

ssize_t evy_getdelim(char **p, size_t *size, int end, FILE *f)
{
    ssize_t r =
        stream_enter(f) && p && size ? delimited(f, p, size, end) : REAL(getdelim)(p, size, end, f);
    stream_leave(f);
    return r;
}

static ssize_t cookie_read(void *f, char *buf, size_t n)
{
    (void)n; /* unbuffered: 1 */
    size_t got = take(f, buf, 1, -1);
    return got == 0 && ((FILE *)f)->_flags & _IO_ERR_SEEN ? -1 : (ssize_t)got;
}

/* What the scan looked at and did not want goes back, the last first. */
static void give_back(FILE *f, FILE *view)
{
    size_t n = stream_ready(view);
    while (n > 0)
        REAL(ungetc)((unsigned char)view->_IO_read_ptr[--n], f);
}

/* scanf asks for input in the middle of its work: it scans a stream without buffer that takes each
   character from f. */
static int scan(FILE *f, const char *format, va_list ap,
                int (*vfscanf)(FILE *, const char *, va_list))
{
    cookie_io_functions_t functions = {.read = cookie_read};
    FILE *view = fopencookie(f, "r", functions);
    if (!view)
        return EOF;
    REAL(setvbuf)(view, NULL, _IONBF, 0);
    int r = vfscanf(view, format, ap);
    int error = errno;
    give_back(f, view);
    REAL(fclose)(view);
    errno = error;
    return r;
}

int evy_vfscanf(FILE *f, const char *format, va_list ap)
{
    int r = stream_enter(f) ? scan(f, format, ap, REAL(vfscanf)) : REAL(vfscanf)(f, format, ap);
    stream_leave(f);
    return r;
}

int evy___isoc99_vfscanf(FILE *f, const char *format, va_list ap)
{
    int r = stream_enter(f) ? scan(f, format, ap, REAL(__isoc99_vfscanf))
                            : REAL(__isoc99_vfscanf)(f, format, ap);
    stream_leave(f);
    return r;
}
