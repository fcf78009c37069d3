// Proves: the mask that sigsuspend, ppoll, pselect, epoll_pwait and epoll_pwait2 bring holds for the call and no longer:
// a pending signal that it lets in ends the call at once, unless an event is there; one that it blocks is handled as
// the call returns and ends nothing; the handler runs under the call's mask, and the thread has its own one afterwards.
#define _GNU_SOURCE
#include "check.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/select.h>

enum { PPOLL, PSELECT, EPOLL_PWAIT, EPOLL_PWAIT2, SIGSUSPEND, CALLS };

static const char *const names[] = {"ppoll", "pselect", "epoll_pwait", "epoll_pwait2",
                                    "sigsuspend"};
static int fds[2], poller;
static __thread volatile sig_atomic_t handled, usr2_blocked;

static void handler(int sig)
{
    sigset_t now_set;
    pthread_sigmask(SIG_SETMASK, NULL, &now_set);
    usr2_blocked = sigismember(&now_set, SIGUSR2);
    handled += sig == SIGUSR1;
}

static int call(int which, int ms, const sigset_t *mask)
{
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    struct epoll_event e;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    switch (which) {
    case PPOLL:
        return ppoll(&p, 1, &t, mask);
    case PSELECT:
        return pselect(fds[0] + 1, &set, NULL, NULL, &t, mask);
    case EPOLL_PWAIT:
        return epoll_pwait(poller, &e, 1, ms, mask);
    case EPOLL_PWAIT2:
        return epoll_pwait2(poller, &e, 1, &t, mask);
    default:
        return sigsuspend(mask);
    }
}

static void tell(const char *what, int result)
{
    sigset_t own;
    pthread_sigmask(SIG_SETMASK, NULL, &own);
    printf(" %s: %d%s, handled %d, under mask %d, own mask %d %d;", what, result,
           result < 0 && errno == EINTR ? " EINTR" : "", handled, usr2_blocked,
           sigismember(&own, SIGUSR1), sigismember(&own, SIGUSR2));
    handled = usr2_blocked = 0;
}

static void *kills(void *target)
{
    usleep(10000);
    pthread_kill(*(pthread_t *)target, SIGUSR1);
    return NULL;
}

static int while_killed(int which, int ms, const sigset_t *mask)
{
    pthread_t me = pthread_self(), t = spawn(kills, &me);
    int result = call(which, ms, mask), error = errno;
    int seen = handled; /* before anything else that could let it in */
    pthread_join(t, NULL);
    CHECK(handled == seen);
    errno = error;
    return result;
}

static void set_mask(int usr1)
{
    sigset_t set;
    sigemptyset(&set);
    if (usr1)
        sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void pending(int which, const sigset_t *open)
{
    char c = 1;
    set_mask(1);
    pthread_kill(pthread_self(), SIGUSR1);
    tell("pending", call(which, 5000, open));
    if (which == SIGSUSPEND)
        return;
    CHECK(write(fds[1], &c, 1) == 1);
    pthread_kill(pthread_self(), SIGUSR1);
    tell("with an event", call(which, 5000, open));
    CHECK(read(fds[0], &c, 1) == 1);
    tell("without", call(which, 5000, open));
    pthread_kill(pthread_self(), SIGUSR1);
    tell("not waiting", call(which, 0, open));
    tell("again", call(which, 0, open));
}

static void *all(void *arg)
{
    sigset_t only_usr2, only_usr1;
    sigemptyset(&only_usr2);
    sigaddset(&only_usr2, SIGUSR2);
    sigemptyset(&only_usr1);
    sigaddset(&only_usr1, SIGUSR1);
    for (int which = 0; which < CALLS; which++) {
        printf("%s:", names[which]);
        pending(which, &only_usr2);
        set_mask(1);
        tell("let in", while_killed(which, 5000, &only_usr2));
        set_mask(0);
        if (which != SIGSUSPEND)
            tell("blocked", while_killed(which, 60, &only_usr1));
        puts("");
        fflush(stdout);
    }
    return arg;
}

static void *idle(void *arg)
{
    for (;;)
        pause();
    return arg;
}

int main(void)
{
    struct sigaction act = {.sa_handler = handler};
    struct epoll_event e = {.events = EPOLLIN};
    CHECK(pipe(fds) == 0 && sigaction(SIGUSR1, &act, NULL) == 0);
    poller = epoll_create1(0);
    CHECK(epoll_ctl(poller, EPOLL_CTL_ADD, fds[0], &e) == 0);
    all(NULL);
    spawn(idle, NULL);
    all(NULL);
    pthread_join(spawn(all, NULL), NULL);
    return 0;
}
