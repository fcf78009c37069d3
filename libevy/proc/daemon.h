/* Calls of libc's that fork inside, where no hook sees it: done anew over the green fork. */
#ifndef EVY_DAEMON_H
#define EVY_DAEMON_H

#include <pty.h>

int evy_daemon(int keep_directory, int keep_streams);
int evy_forkpty(int *master, char *name, const struct termios *mode, const struct winsize *size);

#endif
