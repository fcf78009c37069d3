// flags: -Wno-deprecated-declarations -Wno-deprecated
// Proves: the signal calls of System V and BSD act on the green thread that makes them.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#define BIT(sig) (1 << ((sig)-1))

int bsd_sigpause(int mask) __asm__("sigpause");
int __sigpause(int sig_or_mask, int is_sig);
int __xpg_sigpause(int sig);

static volatile int count;

static void note(int sig)
{
    (void)sig;
    count++;
}

static void *hold(void *arg)
{
    CHECK(sigset(SIGUSR1, note) == SIG_DFL && sighold(SIGUSR1) == 0);
    raise(SIGUSR1);
    CHECK(count == 0 && sigset(SIGUSR1, SIG_HOLD) == SIG_HOLD);
    CHECK(sigrelse(SIGUSR1) == 0 && count == 1);
    CHECK(sigset(SIGUSR1, SIG_HOLD) == note && siggetmask() == BIT(SIGUSR1));
    raise(SIGUSR1);
    CHECK(__xpg_sigpause(SIGUSR1) == -1 && errno == EINTR && count == 2);
    raise(SIGUSR1);
    CHECK(bsd_sigpause(0) == -1 && errno == EINTR && count == 3);
    raise(SIGUSR1);
    CHECK(__sigpause(SIGUSR1, 1) == -1 && errno == EINTR && count == 4);
    raise(SIGUSR1);
    CHECK(sigblock(BIT(SIGUSR2)) == BIT(SIGUSR1));
    CHECK(sigsetmask(0) == (BIT(SIGUSR1) | BIT(SIGUSR2)) && count == 5);
    CHECK(sigignore(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && count == 5);
    CHECK(sighold(1000) == -1 && errno == EINVAL);
    return arg;
}

int main(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, hold, NULL) == 0 && pthread_join(t, NULL) == 0);
    CHECK(siggetmask() == 0);
    puts("held and released");
    return 0;
}
