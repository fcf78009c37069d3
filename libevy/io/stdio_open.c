/* Streams come and go, and calls on them that only want the lock. */
#include "io/stdio.h"

#include "body/green.h"
#include "io/blocking.h"
#include "io/calls.h"
#include "io/fdtab.h"
#include "io/stream.h"
#include "proc/fork.h"
#include "real/real.h"

#include <errno.h>

/* libc has opened a number by itself: what was known under it is out of date. */
static FILE *opened(FILE *f)
{
    if (f)
        fd_closing(stream_fd(f));
    return f;
}

FILE *evy_fopen(const char *path, const char *mode)
{
    return opened(open_waits(AT_FDCWD, path, 0) ? BLOCKING(LOOKUP, FILE *, REAL(fopen)(path, mode))
                                                : REAL(fopen)(path, mode));
}

/* What is buffered goes out while the descriptor is still known. Returns 0 or EOF. */
static int before_close(FILE *f)
{
    int r = stream_enter(f) ? stream_drain(f) : 0;
    int fd = stream_fd(f);
    if (fd >= 0)
        fd_closing(fd);
    stream_leave(f);
    return r;
}

FILE *evy_freopen(const char *path, const char *mode, FILE *f)
{
    before_close(f);
    return opened(path && open_waits(AT_FDCWD, path, 0)
                      ? BLOCKING(LOOKUP, FILE *, REAL(freopen)(path, mode, f))
                      : REAL(freopen)(path, mode, f));
}

static int close_stream(FILE *f)
{
    if (!self())
        return REAL(fclose)(f);
    int lost = before_close(f), error = errno;
    int r = REAL(fclose)(f);
    if (lost)
        errno = error;
    return lost ? EOF : r;
}

/* Closing popen's stream this way waits for the child too, also while alone. */
int evy_fclose(FILE *f)
{
    pid_t child = popen_take(f);
    int r = close_stream(f);
    return child && evy_waitpid(child, NULL, 0) < 0 ? EOF : r;
}

void evy_flockfile(FILE *f)
{
    stream_lock(f);
}

void evy_funlockfile(FILE *f)
{
    stream_unlock(f);
}

#define LOCKED(ret, name, params, args)                                                            \
    ret evy_##name params                                                                          \
    {                                                                                              \
        stream_enter(f);                                                                           \
        ret r = REAL(name) args;                                                                   \
        stream_leave(f);                                                                           \
        return r;                                                                                  \
    }

/* These turn a stream from writing to reading or back: the buffer goes out first. */
#define DRAINED(ret, name, params, args)                                                           \
    ret evy_##name params                                                                          \
    {                                                                                              \
        if (stream_enter(f))                                                                       \
            stream_drain(f);                                                                       \
        ret r = REAL(name) args;                                                                   \
        stream_leave(f);                                                                           \
        return r;                                                                                  \
    }

LOCKED(int, ungetc, (int c, FILE *f), (c, f))
LOCKED(int, feof, (FILE * f), (f))
LOCKED(int, ferror, (FILE * f), (f))
LOCKED(long, ftell, (FILE * f), (f))
LOCKED(off_t, ftello, (FILE * f), (f))
DRAINED(int, fseek, (FILE * f, long offset, int whence), (f, offset, whence))
DRAINED(int, fseeko, (FILE * f, off_t offset, int whence), (f, offset, whence))
DRAINED(int, setvbuf, (FILE * f, char *buf, int mode, size_t size), (f, buf, mode, size))

void evy_clearerr(FILE *f)
{
    stream_enter(f);
    REAL(clearerr)(f);
    stream_leave(f);
}

void evy_rewind(FILE *f)
{
    if (stream_enter(f))
        stream_drain(f);
    REAL(rewind)(f);
    stream_leave(f);
}
