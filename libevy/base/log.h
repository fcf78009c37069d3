/* Messages of the runtime: one line each on stderr or where EVY_LOG says, written with the raw system
   call, without locks and without allocation. */
#ifndef EVY_LOG_H
#define EVY_LOG_H

#include "base/base.h"

enum log_level { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

extern enum log_level log_level; /* messages above it are dropped */
extern int log_fd;

/* Writes "libevy: <text>\n". fmt as printf; the line is cut at 500 characters. Level LOG_OFF is always
   shown: it is for what the user must read whatever EVY_LOG says. */
void log_write(enum log_level level, const char *fmt, ...) EVY_PRINTF(2, 3);

/* Sends messages to the end of this file from now on. Returns 0 or -errno, then nothing changes. */
int log_open(const char *path);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) ((void)(log_level >= LOG_INFO && (log_write(LOG_INFO, __VA_ARGS__), 0)))
#define log_debug(...) ((void)(log_level >= LOG_DEBUG && (log_write(LOG_DEBUG, __VA_ARGS__), 0)))

/* An invariant of the runtime is broken: says so and aborts. Stays on in release builds. */
EVY_COLD __attribute__((noreturn)) void check_failed(const char *what, const char *file, int line);

#define check(cond) (likely(cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__))

#endif
