/* stdio streams of green threads. The FILE stays glibc's: its lock is taken by parking, and where
   its descriptor can block its buffer is filled and emptied by green reads and writes, so that libc
   finds nothing to wait for. */
#ifndef EVY_STREAM_H
#define EVY_STREAM_H

#include "base/base.h"

#include <stdio.h>

/* Begins a call on f: takes its lock as the stdio calls do. True when the functions below do the
   work, false when libc does (files, streams without a descriptor, wide ones). */
bool stream_enter(FILE *f);
void stream_leave(FILE *f);

/* Its descriptor, negative for memory and cookies; unlike fileno it leaves errno alone. */
int stream_fd(const FILE *f);

/* Begins a call on wide characters. True when libc may wait in it. Ended by stream_leave. */
bool stream_enter_wide(FILE *f);

/* Whether f has input, converted or not, that is not yet taken. */
bool stream_has_wide(const FILE *f);

/* Waits until there is something to read, or an error that libc will meet. */
void stream_await_input(FILE *f);

/* More input after the buffer is used up. Returns the next character, which stays, or EOF. */
int stream_fill(FILE *f);

/* Reads past the empty buffer into buf what a request for n bytes has whole buffers of. Returns how much came, 0 when
   stream_fill is to do it, or EOF. */
ssize_t stream_read_past(FILE *f, char *buf, size_t n);

/* Input that is there without asking the kernel, as far as it lies together. */
static inline size_t stream_ready(const FILE *f)
{
    return (size_t)(f->_IO_read_end - f->_IO_read_ptr);
}

/* Writes n bytes as fwrite does, by the stream's kind of buffering. Returns how many were taken. */
size_t stream_put(FILE *f, const char *s, size_t n);

/* Writes out what the buffer holds. Returns 0 or EOF, the error indicator and errno set. */
int stream_drain(FILE *f);

/* The lock itself. */
void stream_lock(FILE *f);
void stream_unlock(FILE *f);

#endif
