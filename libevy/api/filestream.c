/* stdio streams that read and write green whatever is patched. */
#include "base/base.h"
#include "io/calls.h"
#include "io/io.h"

#include <evy/net.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

static ssize_t cookie_read(void *cookie, char *buf, size_t n)
{
    return evy_read((int)(intptr_t)cookie, buf, n);
}

static ssize_t cookie_write(void *cookie, const char *buf, size_t n)
{
    return evy_sendall((int)(intptr_t)cookie, buf, n) ? 0 : (ssize_t)n;
}

static int cookie_close(void *cookie)
{
    return evy_close((int)(intptr_t)cookie);
}

EVY_API FILE *evy_fdopen(int fd, const char *mode)
{
    static const cookie_io_functions_t calls = {cookie_read, cookie_write, NULL, cookie_close};
    if (!mode || (strcmp(mode, "r") != 0 && strcmp(mode, "w") != 0)) {
        errno = EINVAL;
        return NULL;
    }
    if (evy_fcntl(fd, F_GETFD, 0) < 0)
        return NULL;
    FILE *f = fopencookie((void *)(intptr_t)fd, mode, calls);
    if (f) /* libc's lock would be held over switches, and light green threads look like one owner to it */
        __fsetlocking(f, FSETLOCKING_BYCALLER);
    return f;
}

static bool grow(char **line, size_t *size)
{
    size_t more = *size < 128 ? 128 : 2 * *size;
    char *larger = realloc(*line, more);
    if (!larger)
        return false;
    *line = larger;
    *size = more;
    return true;
}

static bool ends_with(const char *line, size_t n, const char *end, size_t end_n)
{
    return n >= end_n && memcmp(line + n - end_n, end, end_n) == 0;
}

EVY_API ssize_t evy_readuntil(FILE *f, const char *terminator, char **line, size_t *size)
{
    size_t n = 0, end_n = terminator ? strlen(terminator) : 0;
    int c = 0;
    if (!f || !line || !size || end_n == 0)
        return errno_edge(-EINVAL);
    if (!*line)
        *size = 0;
    while (!ends_with(*line, n, terminator, end_n) && (c = getc_unlocked(f)) != EOF) {
        if (n + 1 >= *size && !grow(line, size))
            return errno_edge(-ENOMEM);
        (*line)[n++] = (char)c;
    }
    if (n == 0 || (c == EOF && ferror_unlocked(f)))
        return -1;
    (*line)[n] = 0;
    return (ssize_t)n;
}
