/* The operations of syscall(SYS_futex) on PI words: each holds the id of its owner, as gettid tells it to the program. */
#ifndef EVY_FUTEX_PI_H
#define EVY_FUTEX_PI_H

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13 /* since Linux 5.14 */
#endif

/* The six words after the number, which the kernel would not refuse. Returns 0, a count, or -errno. Among the threads of
   the process: nobody's priority is raised. */
long futex_pi(const long args[6]);

#endif
