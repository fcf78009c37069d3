/* Starting /bin/sh -c from a green thread. */
#ifndef EVY_POPEN_SPAWN_H
#define EVY_POPEN_SPAWN_H

#include "base/base.h"

#include <signal.h>
#include <spawn.h>

/* What the shell gets that differs from the caller. */
struct shell_signals {
    sigset_t mask;     /* blocked */
    sigset_t defaults; /* reset to SIG_DFL */
};

/* signals NULL: the caller's own mask. Returns 0 or an error number. */
int spawn_shell(pid_t *pid, const char *command, const posix_spawn_file_actions_t *actions,
                const struct shell_signals *signals);

#endif
