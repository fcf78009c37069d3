/* Signals for green threads. While the process is alone nothing here acts: handlers are the kernel's. Once hubs
 * run, program handlers are wrapped; a signal is given to a green thread that does not block it, main first, and
 * its handler runs in that green thread's context: at once when it is the one interrupted in the program's code,
 * else when it next runs, its wait ending with EINTR. Masks are per green thread and virtual; the kernel blocks on
 * carrier 0 what every green thread blocks, other carriers take no process-directed signals. */
#ifndef EVY_SIGNALS_H
#define EVY_SIGNALS_H

#include "base/base.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>

struct green;

/* The first hub starts: wraps the handlers that are installed, takes over main's mask. From the main thread. */
void signals_start(void);

/* In a forked child, signals being blocked: the program's own handlers are put back. */
void signals_forget(void);

/* Runs the handlers due for the running green thread. Returns true when every one of them asks for restart
   (SA_RESTART), also when none was due. A handler may leave by siglongjmp: the caller holds nothing. */
bool signals_deliver(void);

/* A new green thread inherits its creator's mask; a dying one no longer counts. */
void signals_inherit(struct green *child);
void signals_retire(struct green *dying);

/* g, the running one, is about to end: it still handles what it has been chosen for, which natively would have
   interrupted it by now. */
void signals_last_chance(struct green *g);

/* The running green thread ends: its handlers return to no wait they have interrupted. */
void signals_leave_waits(void);

/* child, which has inherited and not run yet, begins with this mask. */
void signals_start_with(struct green *child, const sigset_t *mask);

/* For ppoll and its like: another mask for the duration of the call. A NULL mask changes nothing. Restoring
   delivers what the shorter mask let in. */
struct signal_mask_swap {
    sigset_t old; /* mask to go back to */
    bool swapped; /* there was one to swap */
};
void signals_swap_mask(struct signal_mask_swap *swap, const sigset_t *mask);
void signals_restore_mask(struct signal_mask_swap *swap);

/* For a call that hands the kernel's mask on to another program (exec, posix_spawn): while lent, the carrier
   has the running green thread's own. No switch in between; safe in a child of vfork. */
void signals_lend_mask(void);
void signals_take_back_mask(void);

/* The running green thread is about to longjmp or siglongjmp to env, perhaps out of a handler. */
struct __jmp_buf_tag;
void signals_jump(struct __jmp_buf_tag *env);

/* From a kernel thread that blocks everything, about to wake one for what another process has done: what that has sent
   before, natively interrupts the sleeper first. Waits until main's kernel thread has taken it, and tells whom it is for. */
void signals_let_in(void);

/* A signal from the running green thread to its process. What the sender alone lets in is handled before the call returns
   (POSIX): it takes such a signal itself, and the answer is true. Else, and where main lets it in, nothing is done. */
bool signals_send_self(int sig, int code, union sigval value);
bool signals_take_self(int sig, siginfo_t *info); /* the same with all that the handler is told */

/* The kernel's struct sigaction. */
struct kernel_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* Green versions; same arguments, results and errno as the originals. */
int evy_sigaction(int sig, const struct sigaction *act, struct sigaction *old);
sighandler_t evy_signal(int sig, sighandler_t handler);
int evy_siginterrupt(int sig, int flag); /* only for green threads */
int evy_sigpending(sigset_t *set);
int evy_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int evy_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int evy_signalfd(int fd, const sigset_t *set, int flags);
int evy_sigwait(const sigset_t *set, int *sig);
int evy_sigwaitinfo(const sigset_t *set, siginfo_t *info);
int evy_rt_sigtimedwait(const sigset_t *set, siginfo_t *info,
                        const struct timespec *timeout); /* the kernel's, for green callers */
int evy_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
int evy_sigsuspend(const sigset_t *mask);
int evy_pause(void);
int evy_raise(int sig);
int evy_sighold(int sig); /* this and the following: only for green threads */
int evy_sigrelse(int sig);
int evy_sigignore(int sig);
sighandler_t evy_sigset(int sig, sighandler_t handler);
int evy_sigblock(int mask);
int evy_sigsetmask(int mask);
int evy_siggetmask(void);
int evy___sigpause(int sig_or_mask, int is_sig);
int evy_sigpause(int mask);
int evy___xpg_sigpause(int sig);
int evy_tkill(pid_t tid, int sig);                 /* of any process */
int evy_tgkill(pid_t process, pid_t tid, int sig); /* tid: the kernel's, or as gettid told it */
int evy_tgsigqueueinfo(pid_t process, pid_t tid, int sig, const siginfo_t *info); /* likewise */
int evy_rt_sigqueueinfo(pid_t process, int sig, const siginfo_t *info);           /* likewise */
int evy_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags);
int evy_sigqueue(pid_t process, int sig, const union sigval value);
int evy_pthread_kill(pthread_t thread, int sig);
int evy_pthread_sigqueue(pthread_t thread, int sig, const union sigval value);

#endif
