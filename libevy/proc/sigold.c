/* The signal calls of System V and BSD, by means of POSIX's. Inside libc they would change the carrier's mask. */
#include "proc/signals.h"
#include "proc/sigstate.h"

static int change(int how, int sig)
{
    sigset_t set;
    sigemptyset(&set);
    return sigaddset(&set, sig) ? -1 : evy_sigprocmask(how, &set, NULL);
}

int evy_sighold(int sig)
{
    return change(SIG_BLOCK, sig);
}

int evy_sigrelse(int sig)
{
    return change(SIG_UNBLOCK, sig);
}

int evy_sigignore(int sig)
{
    struct sigaction act = {.sa_handler = SIG_IGN};
    return evy_sigaction(sig, &act, NULL);
}

/* SIG_HOLD blocks and keeps the action; everything else unblocks. Tells what was: SIG_HOLD when it was blocked. */
sighandler_t evy_sigset(int sig, sighandler_t handler)
{
    struct sigaction act = {.sa_handler = handler}, old;
    bool hold = handler == SIG_HOLD;
    sigset_t set, before;
    sigemptyset(&set);
    if (sigaddset(&set, sig))
        return SIG_ERR;
    if (evy_sigaction(sig, hold ? NULL : &act, &old) ||
        evy_sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, &before))
        return SIG_ERR;
    return sigismember(&before, sig) ? SIG_HOLD : old.sa_handler;
}

static sigset_t set_of(int mask)
{
    sigset_t set;
    sig_set(&set, (unsigned)mask);
    return set;
}

int evy_sigblock(int mask)
{
    sigset_t set = set_of(mask), old;
    return evy_sigprocmask(SIG_BLOCK, &set, &old) ? -1 : (int)sig_word(&old);
}

int evy_sigsetmask(int mask)
{
    sigset_t set = set_of(mask), old;
    return evy_sigprocmask(SIG_SETMASK, &set, &old) ? -1 : (int)sig_word(&old);
}

int evy_siggetmask(void)
{
    return evy_sigblock(0);
}

int evy___sigpause(int sig_or_mask, int is_sig)
{
    sigset_t set = set_of(sig_or_mask);
    if (is_sig && (evy_sigprocmask(SIG_BLOCK, NULL, &set) || sigdelset(&set, sig_or_mask)))
        return -1;
    return evy_sigsuspend(&set);
}

int evy_sigpause(int mask)
{
    return evy___sigpause(mask, 0);
}

int evy___xpg_sigpause(int sig)
{
    return evy___sigpause(sig, 1);
}
