/* fork with green threads alive: one green thread survives in the child, where the process is alone again. */
#ifndef EVY_FORK_H
#define EVY_FORK_H

#include "io/public.h"

#include <sys/types.h>
#include <sys/wait.h>

pid_t evy_fork(void);
pid_t evy__Fork(void);

/* Only the calling green thread waits for the child. */
pid_t evy_wait3(int *status, int options, struct rusage *usage);
int evy_waitid(idtype_t type, id_t id, siginfo_t *info, int options);

#endif
