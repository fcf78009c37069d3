/* The descriptors that the hubs live on: high, out of the numbers the program counts on. They survive a program
   that closes every number, and give way to one that puts something of its own where they are. */
#ifndef EVY_OWN_FD_H
#define EVY_OWN_FD_H

#include "base/base.h"

#include <stdatomic.h>

/* Moves fd up; *home holds its number from now on, also when it moves again. Returns 0; -errno is handed through. */
int own_fd(int fd, atomic_int *home);

/* Closes the one whose number *home holds; none: no effect. */
void own_fd_close(atomic_int *home);

/* Whether fd is one of them: to the program there is nothing at that number. */
bool own_fd_is(int fd);

/* The program is about to put something at fd: what is ours there moves on. Returns 0 or -errno. */
int own_fd_give_way(int fd);

/* What the runtime opens while the program runs has the lowest free number for a moment, where the program may be putting
   something: the kernel would answer EBUSY, or close one for the other. Who opens does so between own_fds_pass and
   own_fds_passed, at once; who depends on numbers between own_fds_hold and own_fds_release. Several may do the same at a
   time, but those of one kind wait for those of the other, who therefore take no locks in between but own_fd's and those of
   fork. Both are critical sections: who waits must not keep the other from ending, and no handler jumps away from what has
   been opened. own_fds_try_pass returns false instead of waiting, for who can do without. */
void own_fds_pass(void);
bool own_fds_try_pass(void);
void own_fds_passed(void);

/* expr, which opens something and puts it where it belongs, between the two. */
#define OWN_FDS_PASSING(expr)                                                                      \
    ({                                                                                             \
        own_fds_pass();                                                                            \
        __auto_type r_ = (expr);                                                                   \
        own_fds_passed();                                                                          \
        r_;                                                                                        \
    })

void own_fds_hold(void);
void own_fds_release(void);

/* In a forked child: closes what the parent's hubs used, without touching the kernel objects behind, which
   the parent shares. */
void own_fds_forget(void);

/* Around fork: takes this file's lock and holds numbers, or gives that back, in parent and child. */
void own_fd_fork_locks(bool take);

#endif
