/* Between the files of signal handling. Signal sets are words here: signal n is bit n - 1. */
#ifndef EVY_SIGSTATE_H
#define EVY_SIGSTATE_H

#include "base/base.h"
#include "base/sys.h"
#include "body/green.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>

#define SIGNALS 64

static inline uint64_t sig_bit(int sig)
{
    return UINT64_C(1) << (sig - 1);
}

static inline uint64_t sig_word(const sigset_t *set)
{
    uint64_t word;
    memcpy(&word, set, sizeof word);
    return word;
}

static inline void sig_set(sigset_t *set, uint64_t word)
{
    memset(set, 0, sizeof *set);
    memcpy(set, &word, sizeof word);
}

/* Nobody may block them: KILL, STOP and the two that glibc keeps for itself. */
#define SIG_FIXED (UINT64_C(1) << 8 | UINT64_C(1) << 18 | UINT64_C(3) << 31)

/* Caused by the very instruction: they go to the program's handler at once, on every carrier. */
#define SIG_FAULTS                                                                                 \
    (sig_bit(SIGSEGV) | sig_bit(SIGBUS) | sig_bit(SIGFPE) | sig_bit(SIGILL) | sig_bit(SIGTRAP) |   \
     sig_bit(SIGSYS))

/* Caused by a system call of the very thread, or by the time it computes: the kernel sends them to the carrier, where
   only we know who runs on it and whether that one blocks them. Never blocked in the kernel, always wrapped. */
#define SIG_CALLS (sig_bit(SIGPIPE) | sig_bit(SIGXFSZ))
#define SIG_TICKS (sig_bit(SIGPROF) | sig_bit(SIGVTALRM))

static inline uint64_t sig_mask(const struct green *g)
{
    return atomic_load_explicit(&g->sigmask, memory_order_relaxed);
}

static inline bool sig_is_realtime(int sig)
{
    return sig >= 34; /* glibc's own two come before */
}

static inline bool sig_valid(int sig)
{
    return sig >= 1 && sig <= SIGNALS && !(SIG_FIXED & sig_bit(sig) & UINT64_C(3) << 31);
}

/* Whether g lives and takes a signal for the process. */
bool signal_accepts(struct green *g, int sig);

/* sigqueue.c: signals that wait for their handler. Lock-free, from signal handlers too. The target NULL
   is the process. */
extern _Atomic uint64_t sigqueue_process; /* those for the process as a whole */
static inline uint64_t sigqueue_pending(const struct green *target)
{
    return atomic_load(target ? &target->sigpending : &sigqueue_process);
}
static inline uint64_t sigqueue_for(const struct green *g)
{
    return sigqueue_pending(g) | sigqueue_pending(NULL);
}
bool sigqueue_full(void); /* as many are queued as the program may have pending */
bool sigqueue_put(struct green *target, int sig, const siginfo_t *info); /* false: no room */
bool sigqueue_take(struct green *target, int sig, siginfo_t *info);
void sigqueue_drop(struct green *target); /* everything for it; for a thread that ends */
void sigqueue_clear(void);                /* everything: in a forked child */

/* sigaction.c: what the program wants done with each signal. */
bool action_of(int sig,
               struct sigaction *act); /* false: default, ignored, or the kernel's business */
void action_reset(int sig);            /* SA_RESETHAND: to the default */
void actions_take_over(void);
void actions_give_back(void);
void action_default(int sig); /* what becomes of a signal without a handler, done here and now */
uint64_t actions_wrapped_always(void);
void actions_need_poke(void); /* from now on SIGURG reaches us whatever the program wants */

/* sigframes.c */
struct handler_frame;
struct handler_frame *frame_push(struct green *g, uintptr_t at);
void frame_pop(struct green *g, struct handler_frame *f);
void go_back_to_mask(struct green *g, uint64_t mask);

/* Forgets handlers that ended without returning, their masks with them: sp is where g is on its stack. */
void frames_forget(struct green *g, uintptr_t sp);

/* sigcall.c: runs the program's handler for sig on g, the running green thread, where it asks for that on g's
   alternate stack. Returns its flags. uc is NULL for a handler that was put off; else g is held. */
int run_handler(struct green *g, int sig, siginfo_t *info, ucontext_t *uc);

/* On a thread that libevy does not run, inside the kernel's handler. */
void call_natively(const struct sigaction *act, int sig, siginfo_t *info, ucontext_t *uc);

/* sigfault.c: the kernel's handler for faults while hubs run. */
void on_fault(int sig, siginfo_t *info, void *context);

/* signals.c */
void on_signal(int sig, siginfo_t *info, void *context);

/* In the kernel's handler, around the program's on g: g is on its hub's carrier and stays there. Releasing runs what
   has come meanwhile. */
void handlers_hold(struct green *g, const ucontext_t *uc);
void handlers_release(struct green *g, ucontext_t *uc);

/* Wakes target, for whom something is pending. Async-signal-safe. */
void signal_nudge(struct green *target);

/* Makes a carrier look after its signals, whatever it is doing. Async-signal-safe. */
void signal_poke(int tid);

/* A signal for target alone. Returns 0 or an error number. */
int signal_send(struct green *target, int sig, siginfo_t *info);

/* Raises sig on the calling kernel thread, unblocked. */
void signal_raise_kernel(int sig);

/* sigmask.c */
void mask_set(struct green *g, uint64_t mask); /* g is self(); delivers nothing */
uint64_t mask_here(void); /* what the kernel shall block on the calling kernel thread, a carrier */
bool on_main_thread(
    void); /* the process's main kernel thread, which takes signals for the process */
void mask_waits(uint64_t set, int by); /* by 1 or -1 greens more wait for set in sigwait */
void mask_hold(
    int sig); /* before sig is queued for the process: if it is the second, the kernel keeps further ones */
void mask_release(int sig);           /* after one was taken from there, before it is handled */
void mask_settle(uint64_t unblocked); /* after mask_set: delivers what is no longer blocked */
void mask_fetch(uint64_t set);        /* takes over what the kernel holds back of these */
bool mask_show(
    int sig, const siginfo_t
                 *info); /* sig, which its target blocks: true: the kernel has it, for a signalfd */
void mask_show_set(uint64_t set); /* a signalfd names these */
void mask_apply(void);            /* the kernel blocks what it shall from now on */
void mask_start(void);
void mask_take_mains(void);
void mask_forget(void);
void mask_chore(void); /* on hub 0's loop */
void mask_ask_chore(void);

#endif
