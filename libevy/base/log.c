#include "base/log.h"

#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define LINE_MAX_CHARS 500
#define LOG_FD_MIN 500 /* above the fds that programs use by number */

enum log_level log_level = LOG_WARN;
int log_fd = 2;

static void write_all(const char *text, size_t n)
{
    while (n > 0) {
        long done = sys_write(log_fd, text, n);
        if (done == -EINTR)
            continue;
        if (done <= 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if (level > log_level)
        return;
    char line[LINE_MAX_CHARS + 1] = "libevy: ";
    size_t used = sizeof("libevy: ") - 1;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line + used, sizeof(line) - used, fmt, args);
    va_end(args);
    if (n < 0)
        return;
    used += (size_t)n;
    if (used > sizeof(line) - 1)
        used = sizeof(line) - 1;
    line[used] = '\n'; /* in place of the final NUL: one write, so lines do not mix */
    write_all(line, used + 1);
}

/* Programs close or reuse low fds they never opened: ours lives where they do not look. */
static int fd_move_high(int fd)
{
    struct rlimit lim = {0};
    sys_call4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&lim);
    long min = lim.rlim_cur > 2 * LOG_FD_MIN ? LOG_FD_MIN : (long)lim.rlim_cur / 2;
    long high = sys_fcntl(fd, F_DUPFD_CLOEXEC, min);
    if (high < 0)
        return fd;
    sys_close(fd);
    return (int)high;
}

int log_open(const char *path)
{
    long fd = sys_call4(SYS_openat, AT_FDCWD, (long)path,
                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0)
        return (int)fd;
    log_fd = fd_move_high((int)fd);
    return 0;
}

void check_failed(const char *what, const char *file, int line)
{
    log_write(LOG_OFF, "%s:%d: check failed: %s", file, line, what);
    abort();
}
