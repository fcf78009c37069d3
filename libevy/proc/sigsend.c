/* Signals from one green thread to another. */
#include "proc/signals.h"
#include "proc/sigstate.h"

#include "arch/probe.h"

#include "body/tcb.h"
#include "core/hub.h"
#include "io/io.h"
#include "real/real.h"
#include "sync/thread.h"

#include <errno.h>
#include <unistd.h>

void signal_raise_kernel(int sig)
{
    uint64_t bit = sig_bit(sig);
    uint64_t old = sys_sigmask(SIG_UNBLOCK, &bit);
    sys3(SYS_tgkill, getpid(), sys_gettid(), sig);
    sys_sigmask(SIG_SETMASK, &old);
}

static bool put_directed(struct green *target, int sig, const siginfo_t *info)
{
    if (sig_mask(target) & ~atomic_load(&target->sigwaits) & sig_bit(sig) && mask_show(sig, info))
        return true;
    return !(sig_is_realtime(sig) && sigqueue_full()) && sigqueue_put(target, sig, info);
}

/* Nothing of ours handles sig: its default action concerns the whole process. */
static int send_unhandled(struct green *target, int sig, siginfo_t *info)
{
    struct sigaction act;
    if (sig_mask(target) & sig_bit(sig)) {
        if (!put_directed(target, sig, info))
            return EAGAIN;
        if (atomic_load(&target->sigwaits) & sig_bit(sig))
            signal_nudge(target);
    } else if (target == self()) {
        signal_raise_kernel(sig);
    } else if (REAL(sigaction)(sig, NULL, &act) == 0 && act.sa_handler != SIG_IGN) {
        sys3(SYS_kill, getpid(), sig, 0);
    }
    return 0;
}

int signal_send(struct green *target, int sig, siginfo_t *info)
{
    struct sigaction act;
    bool blocked = sig_mask(target) & sig_bit(sig);
    if (!action_of(sig, &act))
        return send_unhandled(target, sig, info);
    if (target->flags & GREEN_TRACED && target == self() && !blocked) {
        signal_raise_kernel(sig);
        return 0;
    }
    if (!put_directed(target, sig, info))
        return EAGAIN;
    if (!blocked && target == self())
        signals_deliver();
    else if (!blocked || atomic_load(&target->sigwaits) & sig_bit(sig))
        signal_nudge(target);
    return 0;
}

static int check_and_send(struct green *g, int sig, siginfo_t *info)
{
    if (sig == 0 ||
        !atomic_load(&g->takes_signals)) /* an ended thread: glibc says 0 until it is joined */
        return 0;
    if (!sig_valid(sig))
        return EINVAL;
    info->si_signo = sig;
    return signal_send(g, sig, info);
}

static siginfo_t from_here(int code)
{
    return (siginfo_t){.si_code = code, .si_pid = getpid(), .si_uid = getuid()};
}

int evy_pthread_kill(pthread_t thread, int sig)
{
    siginfo_t info = from_here(SI_TKILL);
    struct green *g = hub_count ? thread_green(thread) : NULL;
    if (hub_count && tcb_is_gone(thread))
        return 0;
    return g ? check_and_send(g, sig, &info) : REAL(pthread_kill)(thread, sig);
}

int evy_pthread_sigqueue(pthread_t thread, int sig, const union sigval value)
{
    siginfo_t info = from_here(SI_QUEUE);
    struct green *g = hub_count ? thread_green(thread) : NULL;
    if (!g)
        return REAL(pthread_sigqueue)(thread, sig, value);
    info.si_value = value;
    return check_and_send(g, sig, &info);
}

/* Whether tid can only be a green thread's: the kernel does not know it, or, as main's, who runs on that kernel thread. */
static bool is_ours(pid_t process, pid_t tid)
{
    return hub_count && process == getpid() && (tid >= TID_INVENTED_MIN || tid == process);
}

static int send_to_tid(pid_t tid, int sig, siginfo_t *info)
{
    struct green *g = tid == getpid() ? main_thread() : thread_with_tid(tid);
    return (int)errno_edge(g ? -check_and_send(g, sig, info) : -ESRCH);
}

int evy_tgkill(pid_t process, pid_t tid, int sig)
{
    siginfo_t info = from_here(SI_TKILL);
    if (!is_ours(process, tid))
        return (int)errno_edge(sys3(SYS_tgkill, process, tid, sig));
    return send_to_tid(tid, sig, &info);
}

int evy_tkill(pid_t tid, int sig)
{
    pid_t process = getpid();
    if (is_ours(process, tid))
        return evy_tgkill(process, tid, sig);
    return (int)errno_edge(sys3(SYS_tkill, tid, sig, 0));
}

int evy_tgsigqueueinfo(pid_t process, pid_t tid, int sig, const siginfo_t *info)
{
    if (!is_ours(process, tid))
        return (int)errno_edge(sys_call4(SYS_rt_tgsigqueueinfo, process, tid, sig, (long)info));
    if (!probe(info, sizeof *info))
        return (int)errno_edge(-EFAULT);
    siginfo_t copy = *info;
    return send_to_tid(tid, sig, &copy);
}

struct taker {
    int sig;
    struct green *g; /* who does not block it, once found */
};

static bool is_taker(struct green *g, void *arg)
{
    struct taker *t = arg;
    if (signal_accepts(g, t->sig))
        t->g = g;
    return t->g == NULL;
}

/* Neither main nor the caller takes it. Natively who does handles it before its next instruction, or does so at its end: the
   kernel, which may wake another of our kernel threads for it, would be too late. */
static bool leave_to_another(int sig, const siginfo_t *info)
{
    struct taker t = {.sig = sig};
    struct sigaction act;
    if (!action_of(sig, &act))
        return false;
    green_each(is_taker, &t);
    if (!t.g || (sig_is_realtime(sig) && sigqueue_full()) || !sigqueue_put(NULL, sig, info))
        return false;
    signal_nudge(t.g);
    return true;
}

bool signals_take_self(int sig, siginfo_t *info)
{
    struct sigaction act;
    struct green *g = self();
    struct green *m = main_thread();
    if (!sig_valid(sig) || g->flags & (GREEN_LOOP | GREEN_TRACED) ||
        (g != m && signal_accepts(m, sig)))
        return false;
    info->si_signo = sig;
    if (sig_mask(g) & sig_bit(sig))
        return leave_to_another(sig, info);
    return action_of(sig, &act) && check_and_send(g, sig, info) == 0;
}

bool signals_send_self(int sig, int code, union sigval value)
{
    siginfo_t info = from_here(code);
    if (code == SI_QUEUE)
        info.si_value = value;
    return signals_take_self(sig, &info);
}

int evy_rt_sigqueueinfo(pid_t process, int sig, const siginfo_t *info)
{
    if (thread_with_tid(process))
        process = getpid(); /* the kernel takes any thread's id for its process */
    if (process == getpid() && probe(info, sizeof *info)) {
        siginfo_t copy = *info;
        if (signals_take_self(sig, &copy))
            return 0;
    }
    return (int)errno_edge(sys3(SYS_rt_sigqueueinfo, process, sig, info));
}

int evy_sigqueue(pid_t process, int sig, const union sigval value)
{
    if (thread_with_tid(process))
        process = getpid();
    if (process == getpid() && signals_send_self(sig, SI_QUEUE, value))
        return 0;
    return REAL(sigqueue)(process, sig, value);
}

int evy_raise(int sig)
{
    struct green *g = self();
    if (!g)
        return REAL(raise)(sig);
    int err = evy_pthread_kill(g->thread, sig);
    if (err)
        errno = err;
    return err ? -1 : 0;
}
