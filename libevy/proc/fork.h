/* fork with green threads alive: one green thread survives in the child, where the process is alone again. */
#ifndef EVY_FORK_H
#define EVY_FORK_H

#include "io/public.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

pid_t evy_fork(void);
pid_t evy__Fork(void);

/* Whether a clone with these flags is a fork: the child has memory, descriptors and a thread pointer of its own. */
static inline bool forks(uint64_t flags)
{
    return !(flags & (CLONE_VM | CLONE_FILES | CLONE_SETTLS));
}

/* Such children, made by clone, or by its bare system calls on the stack of the caller: as _Fork. a: the words of the
   system call; more: those after arg. */
int fork_by_clone(int (*fn)(void *), void *stack, int flags, void *arg, const long *more);
long evy_clone_bare(long number, const long *a);

/* The TCB that glibc knows this kernel thread by: not the running one on a green thread, nor in a child that was
   forked on one. */
uintptr_t fork_native_tp(void);

/* Some child will stop, traced by this process, and those who wait for one are told. */
void wait_expect_stops(void);

/* Only the calling green thread waits for the child. */
pid_t evy_wait3(int *status, int options, struct rusage *usage);
int evy_waitid(idtype_t type, id_t id, siginfo_t *info, int options);

#endif
