/* Calls that change what the kernel keeps for the calling thread alone: made on a kernel thread that the green thread
   has to itself from then on (core/apart.h). Where it cannot have one they change its hub's carrier. */
#ifndef EVY_OWN_THREAD_H
#define EVY_OWN_THREAD_H

#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/* What a bare system call of that number and arguments needs before it is made. */
void own_thread_for(long number, const long *a);

int evy_unshare(int flags);
int evy_setns(int fd, int type);
int evy_personality(unsigned long persona);
int evy_setfsuid(uid_t uid);
int evy_setfsgid(gid_t gid);
int evy_capget(void *header, void *data);
int evy_capset(void *header, const void *data);

/* Returns 0 when the calling green thread has a kernel thread to itself from now on, else -errno. */
int own_thread_get(void);

/* The calling green thread is about to make a child or to become another program. no_new_privs matters there and to
   seccomp only: until then it is but noted. */
void own_thread_for_child(void);

/* In PR_SET_NAME and PR_GET_NAME the thread is the green one. a: the words after option. */
int evy_prctl(int option, const long *a);

/* The kernel thread that has forked a child is the one that may trace it: it goes along with its caller. */
long evy_ptrace(int request, const long *a);

#endif
