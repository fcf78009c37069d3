#include "proc/own_thread.h"

#include "arch/probe.h"
#include "base/sys.h"
#include "body/green.h"
#include "body/tcb.h"
#include "core/apart.h"
#include "io/io.h"
#include "proc/fork.h"
#include "real/real.h"
#include "sync/thread.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define PERSONALITY_ASKED 0xffffffff /* changes nothing */

int own_thread_get(void)
{
    return apart_go(false);
}

static void settle(const struct green *g)
{
    if (g && g->flags & GREEN_NO_NEW_PRIVS)
        REAL(prctl)(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void own_thread_for_child(void)
{
    struct green *g = self();
    if (likely(!g || !(g->flags & GREEN_NO_NEW_PRIVS)))
        return;
    own_thread_get();
    settle(g);
}

int evy_unshare(int flags)
{
    own_thread_get();
    return REAL(unshare)(flags);
}

int evy_setns(int fd, int type)
{
    own_thread_get();
    return REAL(setns)(fd, type);
}

int evy_personality(unsigned long persona)
{
    if (persona != PERSONALITY_ASKED)
        own_thread_get();
    return REAL(personality)(persona);
}

int evy_setfsuid(uid_t uid)
{
    own_thread_get();
    return REAL(setfsuid)(uid);
}

int evy_setfsgid(gid_t gid)
{
    own_thread_get();
    return REAL(setfsgid)(gid);
}

/* By its own id a green thread means itself, whichever kernel thread runs it. */
static void mean_self(struct __user_cap_header_struct *header)
{
    if (header->pid == tcb_tid(self()->thread))
        header->pid = 0;
}

int evy_capget(void *header, void *data)
{
    struct __user_cap_header_struct *h = header, copy;
    if (!probe(h, sizeof *h))
        return REAL(capget)(header, data);
    copy = *h;
    mean_self(&copy);
    int r = REAL(capget)(&copy, data);
    h->version = copy.version; /* asked for another, the kernel tells its own */
    return r;
}

int evy_capset(void *header, const void *data)
{
    struct __user_cap_header_struct *h = header, copy;
    own_thread_get();
    if (!probe(h, sizeof *h))
        return REAL(capset)(header, data);
    copy = *h;
    mean_self(&copy);
    int r = REAL(capset)(&copy, data);
    h->version = copy.version;
    return r;
}

long evy_ptrace(int request, const long *a)
{
    wait_expect_stops();
    apart_go(true);
    if (request == PTRACE_TRACEME)
        self()->flags |= GREEN_TRACED;
    return REAL(ptrace)((enum __ptrace_request)request, a[0], a[1], a[2]);
}

static bool changes_thread(int option, const long *a)
{
    switch (option) {
    case PR_CAP_AMBIENT:
        return a[0] != PR_CAP_AMBIENT_IS_SET;
    case PR_CAPBSET_DROP:
    case PR_SET_KEEPCAPS:
    case PR_SET_SECUREBITS:
        return true;
    case PR_SET_SECCOMP:
        return a[0] != SECCOMP_MODE_FILTER || a[1]; /* without a filter it is a question */
    default:
        return false;
    }
}

/* As the kernel, what is too long is cut. */
static int set_name(struct green *g, const char *name)
{
    char cut[sizeof g->name] = "";
    strncpy(cut, name, sizeof cut - 1);
    return (int)errno_edge(-evy_pthread_setname_np(g->thread, cut));
}

int evy_prctl(int option, const long *a)
{
    struct green *g = self();
    bool names = option == PR_SET_NAME || option == PR_GET_NAME;
    if (names && !probe((const void *)a[0], 1))
        return REAL(prctl)(option, a[0], a[1], a[2], a[3]);
    if (option == PR_SET_NAME)
        return set_name(g, (const char *)a[0]);
    if (option == PR_GET_NAME)
        return (int)errno_edge(-evy_pthread_getname_np(g->thread, (char *)a[0], sizeof g->name));
    if (option == PR_SET_NO_NEW_PRIVS && a[0] == 1 && !(a[1] | a[2] | a[3])) {
        g->flags |= GREEN_NO_NEW_PRIVS;
        return 0;
    }
    if (option == PR_GET_NO_NEW_PRIVS && g->flags & GREEN_NO_NEW_PRIVS &&
        !(a[0] | a[1] | a[2] | a[3]))
        return 1;
    if (changes_thread(option, a))
        own_thread_get();
    if (option == PR_SET_SECCOMP)
        settle(g);
    return REAL(prctl)(option, a[0], a[1], a[2], a[3]);
}

void own_thread_for(long number, const long *a)
{
    switch (number) {
    case SYS_landlock_restrict_self:
        own_thread_get();
        settle(self());
        return;
    case SYS_personality:
        if (a[0] != PERSONALITY_ASKED)
            own_thread_get();
        return;
    case SYS_seccomp:
        if (a[0] == SECCOMP_GET_ACTION_AVAIL || a[0] == SECCOMP_GET_NOTIF_SIZES)
            return;
        if (!(a[1] & SECCOMP_FILTER_FLAG_TSYNC))
            own_thread_get();
        settle(self());
        return;
    case SYS_unshare:
    case SYS_setns:
    case SYS_setfsuid:
    case SYS_setfsgid:
    case SYS_setuid:
    case SYS_setgid:
    case SYS_setreuid:
    case SYS_setregid:
    case SYS_setresuid:
    case SYS_setresgid:
    case SYS_setgroups:
        break;
    default:
        return;
    }
    own_thread_get();
}
