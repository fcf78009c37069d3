// Proves: system ignores SIGINT and SIGQUIT in the caller, not in the command, blocks SIGCHLD and
// puts all back; popen's modes and errors, a stream opened before the first thread, streams that
// later commands do not inherit, fclose instead of pclose; a cancelled system kills its command.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static atomic_int interrupts;

static void on_interrupt(int sig)
{
    (void)sig;
    interrupts++;
}

static void signals(void)
{
    sigset_t none, after;
    struct sigaction act;
    sigemptyset(&none);
    CHECK(system("kill -INT $PPID; kill -QUIT $PPID; exit 4") == 4 << 8);
    int status = system("kill -INT $$; exit 5");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    CHECK(interrupts == 0 && sigaction(SIGINT, NULL, &act) == 0 && act.sa_handler == on_interrupt);
    CHECK(sigaction(SIGQUIT, NULL, &act) == 0 && act.sa_handler == SIG_DFL);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &after) == 0 && !sigismember(&after, SIGCHLD));
    CHECK(system(NULL) == 1 && system("no-such-command 2>/dev/null") == 127 << 8);
}

static void modes(void)
{
    char line[32];
    FILE *f, *g;
    int (*volatile close_other)(FILE *) = fclose; // gcc rightly warns of the plain call
    CHECK(popen("true", "x") == NULL && errno == EINVAL);
    CHECK(popen("true", "") == NULL && errno == EINVAL);
    CHECK(popen("true", "rw") == NULL && errno == EINVAL);
    CHECK((f = popen("echo a", "re")) && fcntl(fileno(f), F_GETFD) == FD_CLOEXEC);
    CHECK(fgets(line, sizeof line, f) && strcmp(line, "a\n") == 0 && pclose(f) == 0);
    CHECK((f = popen("cat >/dev/null", "w")) && fcntl(fileno(f), F_GETFD) == 0);
    CHECK((g = popen("cat >/dev/null; exit 3", "w")) && fputs("x", f) >= 0);
    CHECK(pclose(f) == 0 && pclose(g) == 3 << 8); // g's shell does not hold f's pipe
    CHECK((f = popen("sleep 0.1", "r")) && close_other(f) == 0);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static FILE *early;

static void *body(void *arg)
{
    char line[32];
    CHECK(fgets(line, sizeof line, early) && strcmp(line, "early\n") == 0);
    CHECK(pclose(early) == 6 << 8);
    modes();
    return arg;
}

static void *runs_long(void *arg)
{
    system("exec sleep 100");
    return arg;
}

int main(void)
{
    pthread_t t;
    void *result;
    signal(SIGINT, on_interrupt);
    CHECK((early = popen("echo early; sleep 0.2; exit 6", "r")));
    t = spawn(body, NULL);
    CHECK(pthread_join(t, NULL) == 0);
    signals();
    modes();
    t = spawn(runs_long, NULL);
    usleep(100000);
    CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    puts("commands ok");
    return 0;
}
