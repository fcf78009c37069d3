/* Signals by descriptor. To the caller's own process they are what kill sends. */
#include "proc/signals.h"

#include "arch/probe.h"
#include "base/sys.h"
#include "core/own_fd.h"
#include "io/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both numbers are of the namespace whose /proc this is. */
static bool is_own(int pidfd)
{
    char path[40], text[512], me[16] = "";
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    OWN_FDS_PASSING(sys_read_text(path, text, sizeof text));
    const char *pid = strstr(text, "\nPid:\t");
    sys_call4(SYS_readlinkat, AT_FDCWD, (long)"/proc/self", (long)me, sizeof me - 1);
    return pid && atoi(pid + strlen("\nPid:\t")) == atoi(me);
}

int evy_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags)
{
    siginfo_t copy = {.si_code = SI_USER, .si_pid = getpid(), .si_uid = getuid()};
    if (!flags && probe_given(info, sizeof *info) && (!info || info->si_signo == sig) &&
        is_own(pidfd)) {
        if (info)
            copy = *info;
        if (signals_take_self(sig, &copy))
            return 0;
    }
    return (int)errno_edge(sys_call4(SYS_pidfd_send_signal, pidfd, sig, (long)info, (long)flags));
}
