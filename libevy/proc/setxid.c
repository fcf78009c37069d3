#include "proc/setxid.h"

#include "base/base.h"
#include "base/spin.h"
#include "base/sys.h"
#include "body/critical.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "proc/fork.h"
#include "proc/signals.h"
#include "real/real.h"
#include "tp.h"

#include <errno.h>
#include <signal.h>

#define SETXID_SIGNAL 33

static struct spin answering; /* held by the kernel thread that answers SETXID_SIGNAL */
static void (*glibc_handler)(int, siginfo_t *, void *); /* what answers SETXID_SIGNAL */

/* Nothing may run between the two tp_set that keeps a thread-local address in a register. */
static EVY_NOINLINE void answer_on(uintptr_t native, int sig, siginfo_t *info, void *context)
{
    uintptr_t own = tp_get();
    tp_set(native);
    glibc_handler(sig, info, context);
    tp_set(own);
}

/* One after the other: who finds that the others have fared otherwise aborts, and all of them would at once, where the
   program may have but two threads. No other signal comes meanwhile. */
static void on_setxid(int sig, siginfo_t *info, void *context)
{
    const struct carrier *c = carrier_of_tid(sys_gettid());
    spin_lock(&answering);
    if (c)
        answer_on(c->native_tp, sig, info, context);
    else
        glibc_handler(sig, info, context);
    spin_unlock(&answering);
}

void setxid_start(void)
{
    struct kernel_action act;
    answering = (struct spin){0}; /* the process is alone: in the child of a fork, too */
    /* libc hides its own signals from the library call */
    if (sys_call4(SYS_rt_sigaction, SETXID_SIGNAL, 0, (long)&act, sizeof act.mask) < 0 ||
        act.handler == NULL || act.handler == on_setxid)
        return;
    glibc_handler = act.handler;
    act.handler = on_setxid;
    act.mask = ~UINT64_C(0);
    sys_call4(SYS_rt_sigaction, SETXID_SIGNAL, (long)&act, 0, sizeof act.mask);
}

/* Evaluates call, which answers -1 and errno, on the TCB that glibc knows this kernel thread by. Each expansion is
   a function of its own that nothing is inlined into. */
#define ON_NATIVE(call)                                                                            \
    critical_enter();                                                                              \
    uintptr_t own = tp_get(), native = fork_native_tp();                                           \
    if (native == own) {                                                                           \
        critical_leave();                                                                          \
        return call;                                                                               \
    }                                                                                              \
    tp_set(native);                                                                                \
    int err = (call) ? current_errno() : 0;                                                        \
    tp_set(own);                                                                                   \
    critical_leave();                                                                              \
    if (err)                                                                                       \
        set_errno(err);                                                                            \
    return err ? -1 : 0

static EVY_NOINLINE int current_errno(void)
{
    return errno;
}

static EVY_NOINLINE void set_errno(int err)
{
    errno = err;
}

int evy_setuid(uid_t uid)
{
    ON_NATIVE(REAL(setuid)(uid));
}

int evy_setgid(gid_t gid)
{
    ON_NATIVE(REAL(setgid)(gid));
}

int evy_seteuid(uid_t uid)
{
    ON_NATIVE(REAL(seteuid)(uid));
}

int evy_setegid(gid_t gid)
{
    ON_NATIVE(REAL(setegid)(gid));
}

int evy_setreuid(uid_t real_id, uid_t effective)
{
    ON_NATIVE(REAL(setreuid)(real_id, effective));
}

int evy_setregid(gid_t real_id, gid_t effective)
{
    ON_NATIVE(REAL(setregid)(real_id, effective));
}

int evy_setresuid(uid_t real_id, uid_t effective, uid_t saved)
{
    ON_NATIVE(REAL(setresuid)(real_id, effective, saved));
}

int evy_setresgid(gid_t real_id, gid_t effective, gid_t saved)
{
    ON_NATIVE(REAL(setresgid)(real_id, effective, saved));
}

int evy_setgroups(size_t n, const gid_t *groups)
{
    ON_NATIVE(REAL(setgroups)(n, groups));
}

int evy_initgroups(const char *user, gid_t group)
{
    ON_NATIVE(REAL(initgroups)(user, group));
}
