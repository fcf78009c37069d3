/* Green system(): the caller waits with SIGCHLD blocked; SIGINT and SIGQUIT are ignored while any
   call runs. */
#include "io/popen_spawn.h"
#include "io/stdio.h"

#include "base/config.h"
#include "body/green.h"
#include "proc/fork.h"
#include "proc/signals.h"
#include "real/real.h"
#include "sync/cancel.h"
#include "sync/sync.h"

#include <errno.h>

extern char **environ;

static bool signals_are_green(void)
{
    return self() && config.patch & SUBSET_SIGNAL;
}

static void thread_mask(int how, const sigset_t *set, sigset_t *old)
{
    if (signals_are_green())
        evy_pthread_sigmask(how, set, old);
    else
        REAL(pthread_sigmask)(how, set, old);
}

static void action(int sig, const struct sigaction *act, struct sigaction *old)
{
    if (signals_are_green())
        evy_sigaction(sig, act, old);
    else
        REAL(sigaction)(sig, act, old);
}

/* The kernel's mask is not a green thread's: it is given explicitly. */
static void signals_into(posix_spawnattr_t *attr, const struct shell_signals *signals)
{
    posix_spawnattr_setsigmask(attr, &signals->mask);
    posix_spawnattr_setsigdefault(attr, &signals->defaults);
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int spawn_shell(pid_t *pid, const char *command, const posix_spawn_file_actions_t *actions,
                const struct shell_signals *signals)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
    struct shell_signals own = {0};
    posix_spawnattr_t attr;
    int err = posix_spawnattr_init(&attr);
    if (err)
        return err;
    if (!signals && self()) {
        thread_mask(SIG_SETMASK, NULL, &own.mask);
        signals = &own;
    }
    if (signals)
        signals_into(&attr, signals);
    err = posix_spawn(pid, "/bin/sh", actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    return err;
}

/* Several calls may run at once: the first ignores, the last restores. */
static struct {
    pthread_mutex_t lock;
    unsigned running;
    struct sigaction interrupt, quit; /* the program's; while running */
} ignored = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Sets what the shell gets back: neither signal stays ignored for it unless the program ignored it.
   */
static void ignore_begin(sigset_t *defaults)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    evy_pthread_mutex_lock(&ignored.lock);
    if (ignored.running++ == 0) {
        action(SIGINT, &ignore, &ignored.interrupt);
        action(SIGQUIT, &ignore, &ignored.quit);
    }
    sigemptyset(defaults);
    if (ignored.interrupt.sa_handler != SIG_IGN)
        sigaddset(defaults, SIGINT);
    if (ignored.quit.sa_handler != SIG_IGN)
        sigaddset(defaults, SIGQUIT);
    evy_pthread_mutex_unlock(&ignored.lock);
}

static void ignore_end(void)
{
    evy_pthread_mutex_lock(&ignored.lock);
    if (--ignored.running == 0) {
        action(SIGINT, &ignored.interrupt, NULL);
        action(SIGQUIT, &ignored.quit, NULL);
    }
    evy_pthread_mutex_unlock(&ignored.lock);
}

static pid_t wait_child(pid_t pid, int *status)
{
    pid_t r;
    do
        r = evy_waitpid(pid, status, 0);
    while (r < 0 && errno == EINTR);
    return r;
}

struct run {
    pid_t pid;
    struct shell_signals signals; /* mask: the caller's */
};

static void run_end(struct run *run)
{
    ignore_end();
    thread_mask(SIG_SETMASK, &run->signals.mask, NULL);
}

static void cancelled(void *arg)
{
    struct run *run = arg;
    kill(run->pid, SIGKILL);
    wait_child(run->pid, NULL);
    run_end(run);
}

static int run_shell(const char *command)
{
    struct run run;
    sigset_t child;
    int status = -1;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    ignore_begin(&run.signals.defaults);
    thread_mask(SIG_BLOCK, &child, &run.signals.mask);
    if (spawn_shell(&run.pid, command, NULL, &run.signals) == 0) {
        pthread_cleanup_push(cancelled, &run);
        if (wait_child(run.pid, &status) < 0)
            status = -1;
        pthread_cleanup_pop(0);
    } else {
        status = 127 << 8; /* as if the shell had ended so */
    }
    run_end(&run);
    return status;
}

int evy_system(const char *command)
{
    if (!self() && config.children == CHILDREN_ALL)
        return REAL(system)(command);
    cancel_point();
    return command ? run_shell(command) : run_shell("exit 0") == 0;
}
