// Proves: a signal handler may write to what its own thread is just writing to, and may leave a write by siglongjmp:
// neither stops that thread or the others that write there.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>

#include "check.h"

static int p[2];
static atomic_int stop, handled, left;
static sigjmp_buf back;
static volatile sig_atomic_t may_leave;

static void on_alarm(int sig)
{
    int saved = errno;
    (void)sig;
    CHECK(write(p[1], "h", 1) == 1);
    handled++;
    errno = saved;
    if (may_leave)
        siglongjmp(back, 1);
}

static void *drains(void *arg)
{
    char b[4096];
    while (read(p[0], b, sizeof b) > 0)
        ;
    return arg;
}

static void *writes(void *arg)
{
    char b[3000] = "";
    while (!stop)
        CHECK(write(p[1], b, sizeof b) > 0);
    return arg;
}

// The only one that takes the alarms.
static void disturbed(void)
{
    char b[30000] = "";
    for (volatile int i = 0; i < 2000 || handled < 50; i++)
        CHECK(write(p[1], b, sizeof b) > 0 || errno == EINTR);
    for (volatile int i = 0; i < 2000 || left < 50; i++) {
        if (sigsetjmp(back, 1)) {
            left++;
            continue;
        }
        may_leave = 1;
        write(p[1], b, sizeof b) > 0 ? (void)0 : CHECK(errno == EINTR);
        may_leave = 0;
    }
}

int main(void)
{
    struct sigaction act = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    CHECK(pipe(p) == 0 && sigaction(SIGALRM, &act, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &alarms, NULL) == 0);
    pthread_t r = spawn(drains, NULL), w = spawn(writes, NULL);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &alarms, NULL) == 0 &&
          setitimer(ITIMER_REAL, &often, NULL) == 0);
    disturbed();
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    stop = 1;
    CHECK(pthread_join(w, NULL) == 0 && close(p[1]) == 0 && pthread_join(r, NULL) == 0);
    printf("handled: %d, left: %d\n", handled >= 50, left >= 50);
    return 0;
}
