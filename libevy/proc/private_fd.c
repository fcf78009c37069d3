#include "proc/private_fd.h"

#include "base/sys.h"
#include "io/fdtab.h"

#include <fcntl.h>

#define HIGH                                                                                       \
    800 /* under the usual limit of 1024, above what programs with such a limit reach early */

int private_fd(int fd)
{
    if (fd < 0)
        return fd;
    long high = sys_fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
    if (high >= 0) {
        sys_close(fd);
        fd = (int)high;
    }
    fd_opened(fd, FD_OTHER, FD_OURS | FD_USER_NONBLOCK | FD_PRIVATE);
    return fd;
}

void private_fd_close(int fd)
{
    if (!fd_has(fd_slot(fd), FD_PRIVATE)) /* the program has put something in its place */
        return;
    fd_closing(fd);
    sys_close(fd);
}
