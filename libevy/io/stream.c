#include "io/stream.h"

#include "core/lot.h"
#include "io/calls.h"
#include "io/io.h"
#include "real/real.h"

#include <pthread.h>
#include <string.h>

/* glibc's flags beside those that <bits/types/struct_FILE.h> names. */
enum {
    UNBUFFERED = 0x0002,
    NO_READS = 0x0004,
    NO_WRITES = 0x0008,
    LINKED = 0x0080,    /* open, and known to those who flush all */
    IN_BACKUP = 0x0100, /* reads from what ungetc stored; the rest waits in the save area */
    LINE_BUFFERED = 0x0200,
    PUTTING = 0x0800,
    FILEBUF = 0x2000, /* a descriptor, not memory or a cookie */
};

/* An unlock that we do not see (a foreign thread's) wakes only the kernel's waiters. */
#define LOOK_FIRST (NSEC_PER_SEC / 2000)
#define LOOK_LAST (NSEC_PER_SEC / 64)

static EVY_NOINLINE void lock_slow(FILE *f)
{
    const atomic_uint *word = (const atomic_uint *)f->_lock;
    int64_t look = LOOK_FIRST;
    unsigned lost = 0;
    while (ftrylockfile(f)) {
        unsigned held = atomic_load(word);
        if (!held)
            continue;
        lost += lot_park(word, held, deadline_after(look), LOT_STREAM | lot_starving(lost)) == 0;
        look = look < LOOK_LAST ? look * 2 : LOOK_LAST;
    }
}

void stream_lock(FILE *f)
{
    if (unlikely(ftrylockfile(f)))
        lock_slow(f);
}

/* Once unlocked the stream may be gone: only the lock's address counts. */
void stream_unlock(FILE *f)
{
    const void *word = f->_lock;
    REAL(funlockfile)(f);
    lot_unpark_fenced(word, 1);
}

int stream_fd(const FILE *f)
{
    return f->_flags & FILEBUF ? f->_fileno : -1;
}

static bool can_wait(const FILE *f)
{
    int fd = stream_fd(f);
    const struct fd *s = fd >= 0 ? fd_known(fd) : NULL;
    return s && fd_kind(s) != FD_FILE && fd_kind(s) != FD_UNKNOWN;
}

bool stream_enter(FILE *f)
{
    return stream_enter_wide(f) && f->_mode <= 0;
}

bool stream_enter_wide(FILE *f)
{
    if (!(f->_flags & _IO_USER_LOCK))
        stream_lock(f);
    return can_wait(f);
}

void stream_leave(FILE *f)
{
    if (!(f->_flags & _IO_USER_LOCK))
        stream_unlock(f);
}

static void cancelled(void *f)
{
    stream_leave(f);
}

static int failed(FILE *f)
{
    f->_flags |= _IO_ERR_SEEN;
    return EOF;
}

/* Where the program wants EAGAIN libc's read will get it; an EAGAIN after a wait is SO_RCVTIMEO's.
   */
static long wait_readable(int fd)
{
    struct io io;
    if (!io_begin(&io, fd, FD_READ, false) || fd_times_itself(io.slot, fd))
        return 0;
    long r = terminal_admits(io.slot, fd);
    if (r == 0)
        r = IO_TRY(&io, fd_ready(fd, POLLIN) ? 0 : -EAGAIN);
    return r == -EAGAIN && !io.waited ? 0 : io_end(&io, r);
}

static bool has_input(const FILE *f)
{
    return stream_ready(f) || (f->_flags & IN_BACKUP && f->_IO_save_end > f->_IO_save_base);
}

/* Reading with an empty buffer that libc has made: what its underflow does then is all in the FILE. */
static bool is_plain_input(const FILE *f)
{
    int other = UNBUFFERED | LINE_BUFFERED | NO_READS | IN_BACKUP | PUTTING | _IO_EOF_SEEN;
    return !(f->_flags & other) && f->_mode < 0 && f->_IO_buf_base && !f->_IO_save_base &&
           !f->_markers && !stream_ready(f);
}

/* Returns how much came, 0 at the end or after an error. */
static size_t read_some(FILE *f, char *buf, size_t n)
{
    ssize_t r;
    pthread_cleanup_push(cancelled, f);
    r = evy_read(f->_fileno, buf, n);
    pthread_cleanup_pop(0);
    if (r <= 0)
        f->_flags |= r < 0 ? _IO_ERR_SEEN : _IO_EOF_SEEN;
    if (f->_offset >= 0)
        f->_offset = r > 0 ? f->_offset + r : -1; /* glibc: to be asked for */
    return r > 0 ? (size_t)r : 0;
}

static int fill_plain(FILE *f)
{
    char *base = f->_IO_buf_base;
    f->_IO_read_base = f->_IO_read_ptr = f->_IO_read_end = base;
    f->_IO_write_base = f->_IO_write_ptr = f->_IO_write_end = base;
    f->_IO_read_end += read_some(f, base, (size_t)(f->_IO_buf_end - base));
    return stream_ready(f) ? *(unsigned char *)base : EOF;
}

void _IO_doallocbuf(FILE *f); /* sees to it that terminals are line buffered */

/* Before libc's underflow reads a line it writes what stdout has, which may ask for that line. */
static void show_prompt(FILE *f)
{
    int line = LINKED | LINE_BUFFERED;
    if (!f->_IO_buf_base && !f->_IO_save_base)
        _IO_doallocbuf(f);
    if (f->_flags & (LINE_BUFFERED | UNBUFFERED) && (stdout->_flags & (line | NO_WRITES)) == line)
        evy___overflow(stdout, EOF);
}

static long await_input(FILE *f)
{
    long r;
    pthread_cleanup_push(cancelled, f);
    show_prompt(f);
    r = wait_readable(f->_fileno);
    pthread_cleanup_pop(0);
    return r;
}

int stream_fill(FILE *f)
{
    long r = 0;
    if (likely(is_plain_input(f)))
        return fill_plain(f);
    if (!has_input(f) && f->_IO_write_ptr > f->_IO_write_base && stream_drain(f))
        return EOF;
    if (!has_input(f) && !(f->_flags & (_IO_EOF_SEEN | NO_READS)))
        r = await_input(f);
    return r ? failed(f) : REAL(__underflow)(f);
}

ssize_t stream_read_past(FILE *f, char *buf, size_t n)
{
    size_t size = (size_t)(f->_IO_buf_end - f->_IO_buf_base);
    if (!is_plain_input(f) || n < size)
        return 0;
    size_t r = read_some(f, buf, size >= 128 ? n - n % size : n);
    return r ? (ssize_t)r : EOF;
}

/* The private part of a wide stream begins with the ends of its converted input. */
bool stream_has_wide(const FILE *f)
{
    wchar_t *const *input = (wchar_t *const *)f->_wide_data;
    return stream_ready(f) || (f->_mode > 0 && input[0] < input[1]);
}

void stream_await_input(FILE *f)
{
    await_input(f);
}

/* Some or all of it went out. */
static ssize_t write_some(FILE *f, const char *s, size_t n)
{
    ssize_t r;
    pthread_cleanup_push(cancelled, f);
    r = evy_write(f->_fileno, s, n);
    pthread_cleanup_pop(0);
    if (r > 0 && f->_offset >= 0)
        f->_offset += r;
    return r;
}

/* Returns how much went out before an error. */
static size_t write_all(FILE *f, const char *s, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t r = write_some(f, s + done, n - done);
        if (r < 0) {
            failed(f);
            break;
        }
        done += (size_t)r;
    }
    return done;
}

/* The buffer is empty and in the state in which libc leaves it; after an error it has been lost. */
static void buffer_reset(FILE *f)
{
    char *base = f->_IO_buf_base;
    f->_IO_read_base = f->_IO_read_ptr = f->_IO_read_end = base;
    f->_IO_write_base = f->_IO_write_ptr = base;
    f->_IO_write_end = f->_flags & (LINE_BUFFERED | UNBUFFERED) ? base : f->_IO_buf_end;
}

int stream_drain(FILE *f)
{
    size_t n = (size_t)(f->_IO_write_ptr - f->_IO_write_base);
    if (n == 0)
        return 0;
    size_t done = write_all(f, f->_IO_write_base, n);
    buffer_reset(f);
    return done < n ? EOF : 0;
}

/* libc makes the buffer and turns from reading to writing; it has nothing to write then. */
static bool start_writing(FILE *f)
{
    return (f->_flags & PUTTING && f->_IO_write_base) || REAL(__overflow)(f, EOF) != EOF;
}

/* What libc would write without its buffer: whole buffers' worth. */
static size_t direct_share(const FILE *f, size_t n)
{
    size_t size = (size_t)(f->_IO_buf_end - f->_IO_buf_base);
    if (f->_IO_write_ptr > f->_IO_write_base || n < size)
        return 0;
    return n - (size >= 128 ? n % size : 0);
}

/* Into the buffer; full buffers go out. */
static size_t append(FILE *f, const char *s, size_t n)
{
    size_t done = 0;
    while (done < n) {
        size_t direct = direct_share(f, n - done);
        size_t room = (size_t)(f->_IO_buf_end - f->_IO_write_ptr);
        if (direct) {
            size_t out = write_all(f, s + done, direct);
            done += out;
            if (out < direct)
                break;
        } else if (room == 0) {
            if (stream_drain(f))
                break;
        } else {
            size_t k = n - done < room ? n - done : room;
            memcpy(f->_IO_write_ptr, s + done, k);
            f->_IO_write_ptr += k;
            done += k;
        }
    }
    return done;
}

/* How much must have gone out when the call returns. */
static size_t due(const FILE *f, const char *s, size_t n)
{
    const char *last;
    if (f->_flags & UNBUFFERED)
        return n;
    last = f->_flags & LINE_BUFFERED ? memrchr(s, '\n', n) : NULL;
    return last ? (size_t)(last - s) + 1 : 0;
}

size_t stream_put(FILE *f, const char *s, size_t n)
{
    if (n == 0 || !start_writing(f))
        return 0;
    size_t now = due(f, s, n);
    size_t done = append(f, s, now);
    if (done < now)
        return done;
    if (now && stream_drain(f))
        return 0;
    return done + append(f, s + now, n - now);
}
