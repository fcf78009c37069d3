#include "proc/daemon.h"

#include "proc/fork.h"
#include "real/real.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <unistd.h>
#include <utmp.h>

/* As glibc, whatever /dev/null turns out to be is not looked into. */
static int streams_to_null(void)
{
    int fd = open(_PATH_DEVNULL, O_RDWR);
    if (fd < 0)
        return -1;
    for (int i = 0; i < 3; i++)
        REAL(dup2)(fd, i);
    if (fd > 2)
        REAL(close)(fd);
    return 0;
}

int evy_daemon(int keep_directory, int keep_streams)
{
    pid_t pid = evy_fork();
    if (pid < 0)
        return -1;
    if (pid > 0)
        _exit(0);
    if (setsid() < 0)
        return -1;
    if (!keep_directory && chdir("/") < 0)
        return -1;
    return keep_streams ? 0 : streams_to_null();
}

int evy_forkpty(int *master, char *name, const struct termios *mode, const struct winsize *size)
{
    int slave;
    if (openpty(master, &slave, name, mode, size) < 0)
        return -1;
    pid_t pid = evy_fork();
    if (pid == 0) {
        REAL(close)(*master);
        if (login_tty(slave) < 0)
            _exit(1);
        return 0;
    }
    int err = errno;
    REAL(close)(slave);
    if (pid < 0)
        REAL(close)(*master);
    errno = err;
    return pid;
}
