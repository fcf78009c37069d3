/* setuid and its relatives with green threads alive. glibc makes every kernel thread follow by sending it signal 33
   and shaking hands through its TCB (nptl/nptl_setxid.c): caller and handler must run on TCBs that glibc made. */
#ifndef EVY_SETXID_H
#define EVY_SETXID_H

#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

/* Once hubs run: wraps glibc's handlers of its own signals. */
void setxid_start(void);

int evy_setuid(uid_t uid);
int evy_setgid(gid_t gid);
int evy_seteuid(uid_t uid);
int evy_setegid(gid_t gid);
int evy_setreuid(uid_t real_id, uid_t effective);
int evy_setregid(gid_t real_id, gid_t effective);
int evy_setresuid(uid_t real_id, uid_t effective, uid_t saved);
int evy_setresgid(gid_t real_id, gid_t effective, gid_t saved);
int evy_setgroups(size_t n, const gid_t *groups);
int evy_initgroups(const char *user, gid_t group);

#endif
