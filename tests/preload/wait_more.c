// Proves: the wait family from threads answers as natively: WNOHANG, WNOWAIT, process groups, __WALL, pidfds, stops and
// continues, EINTR, several waiters for one child, ignored SIGCHLD, SA_NOCLDSTOP, SA_NOCLDWAIT and
// handlers of SIGCHLD.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pid_t child(int status, int ms)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        usleep((useconds_t)ms * 1000);
        _exit(status);
    }
    return pid;
}

static void waits_once(void)
{
    int status;
    struct rusage usage;
    siginfo_t info = {.si_pid = 77};
    pid_t pid = child(1, 30);
    CHECK(waitpid(pid, &status, WNOHANG) == 0);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == pid);
    CHECK(info.si_code == CLD_EXITED && info.si_status == 1 && info.si_signo == SIGCHLD);
    CHECK(wait4(pid, &status, __WALL, &usage) == pid && status == 0x100);
    CHECK(waitpid(pid, &status, 0) == -1 && errno == ECHILD);
    pid = child(2, 10);
    CHECK(wait3(&status, 0, &usage) == pid && status == 0x200);
    pid = child(3, 10);
    CHECK(wait(&status) == pid && status == 0x300);
    CHECK(wait(NULL) == -1 && errno == ECHILD);
    CHECK(waitid(P_ALL, 0, &info, 0) == -1 && errno == EINVAL);
    CHECK(waitpid(-1, &status, 0x40000) == -1 && errno == EINVAL);
}

static void groups(void)
{
    int status;
    siginfo_t info;
    pid_t a = child(4, 40), b = child(5, 10), c = child(6, 20);
    CHECK(setpgid(a, a) == 0 && setpgid(c, a) == 0);
    CHECK(waitid(P_PGID, (id_t)a, &info, WEXITED) == 0 && info.si_pid == c && info.si_status == 6);
    CHECK(waitpid(-a, &status, 0) == a && status == 0x400);
    CHECK(waitpid(-a, &status, 0) == -1 && errno == ECHILD);
    CHECK(waitpid(0, &status, 0) == b && status == 0x500);
}

static void pidfds(void)
{
    siginfo_t info;
    pid_t pid = child(6, 20);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    CHECK(fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    CHECK(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) == -1 && errno == EAGAIN);
    CHECK(fcntl(fd, F_SETFL, 0) == 0);
    CHECK(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) == 0 && info.si_status == 6);
    close(fd);
    CHECK(waitid((idtype_t)P_PIDFD, 9999, &info, WEXITED) == -1 && errno == EBADF);
}

static atomic_int told, told_pid;

static void nothing(int sig)
{
    (void)sig;
}

static void counts(int sig)
{
    (void)sig;
    told++;
}

static void on(int sig, void (*fn)(int), int flags)
{
    struct sigaction act = {.sa_handler = fn, .sa_flags = flags};
    CHECK(sigaction(sig, &act, NULL) == 0);
}

static void stops(void)
{
    int status;
    siginfo_t info;
    pid_t pid = child(7, 1000000);
    told = 0;
    on(SIGCHLD, counts, SA_NOCLDSTOP);
    kill(pid, SIGSTOP);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
          WSTOPSIG(status) == SIGSTOP);
    kill(pid, SIGCONT);
    CHECK(waitid(P_PID, (id_t)pid, &info, WCONTINUED) == 0 && info.si_code == CLD_CONTINUED);
    CHECK(told == 0); /* SA_NOCLDSTOP */
    on(SIGCHLD, counts, 0);
    kill(pid, SIGSTOP);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    while (told < 1)
        usleep(1000);
    on(SIGCHLD, SIG_DFL, 0);
    kill(pid, SIGTERM);
    kill(pid, SIGCONT);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static pthread_t target;

static void *interrupts(void *arg)
{
    usleep(20000);
    pthread_kill(target, *(int *)arg);
    return NULL;
}

static void interrupted(void)
{
    int status, usr1 = SIGUSR1, usr2 = SIGUSR2;
    on(SIGUSR1, nothing, 0);
    on(SIGUSR2, nothing, SA_RESTART);
    target = pthread_self();
    pid_t pid = child(8, 500);
    pthread_t t = spawn(interrupts, &usr1);
    CHECK(waitpid(pid, &status, 0) == -1 && errno == EINTR);
    pthread_join(t, NULL);
    t = spawn(interrupts, &usr2);
    CHECK(wait(&status) == pid && status == 0x800);
    pthread_join(t, NULL);
}

static void *interrupts_after(void *us)
{
    usleep((useconds_t)(intptr_t)us);
    pthread_kill(target, SIGUSR1);
    return NULL;
}

/* Whenever it comes, and whatever the runtime is just doing for the wait. */
static void interrupted_any_time(void)
{
    int status;
    pid_t pid = child(8, 60000);
    for (int i = 0; i < 150; i++) {
        pthread_t t = spawn(interrupts_after, (void *)(intptr_t)(9700 + i * 4));
        CHECK(waitpid(pid, &status, 0) == -1 && errno == EINTR);
        pthread_join(t, NULL);
    }
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
}

/* The end of the child that is waited for comes before the handler it causes. */
static void told_by_handler(void)
{
    int status;
    on(SIGCHLD, nothing, 0);
    for (int i = 0; i < 100; i++) {
        pid_t pid = child(i, 1);
        CHECK(waitpid(pid, &status, 0) == pid && status == i << 8);
    }
    on(SIGCHLD, SIG_DFL, 0);
}

static atomic_int reaped, missed;

static void *reaps(void *pid)
{
    int status;
    pid_t r = waitpid(*(pid_t *)pid, &status, 0);
    if (r > 0 && status == 0x900)
        reaped++;
    else if (r == -1 && errno == ECHILD)
        missed++;
    return NULL;
}

static void two_waiters(void)
{
    pid_t pid = child(9, 30), any = -1;
    pthread_t a = spawn(reaps, &pid), b = spawn(reaps, &pid), c;
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    CHECK(reaped == 1 && missed == 1);
    child(9, 30);
    child(9, 60);
    a = spawn(reaps, &any), b = spawn(reaps, &any), c = spawn(reaps, &any);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    pthread_join(c, NULL);
    CHECK(reaped == 3 && missed == 2);
}

static void on_child(int sig, siginfo_t *info, void *context)
{
    int status;
    (void)sig, (void)context;
    told_pid = info->si_pid;
    while (waitpid(-1, &status, WNOHANG) > 0)
        told++;
}

static void child_signals(void)
{
    struct sigaction act = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    told = 0;
    CHECK(sigaction(SIGCHLD, &act, NULL) == 0);
    pid_t pid = child(0, 5);
    while (told < 1)
        usleep(1000);
    CHECK(told_pid == pid && wait(NULL) == -1 && errno == ECHILD);
    for (int i = 0; i < 20; i++)
        child(0, i % 3);
    while (told < 21)
        usleep(1000);
    on(SIGCHLD, SIG_IGN, 0);
    child(0, 30);
    CHECK(wait(NULL) == -1 && errno == ECHILD); /* waits until all have gone */
    on(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
    pid = child(0, 30);
    CHECK(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);
    while (kill(pid, 0) == 0) /* the kernel tells who waits before it lets go of the id */
        usleep(100);
    on(SIGCHLD, SIG_DFL, 0);
}

static void *all(void *arg)
{
    waits_once();
    groups();
    pidfds();
    stops();
    interrupted();
    interrupted_any_time();
    told_by_handler();
    two_waiters();
    child_signals();
    return arg;
}

int main(void)
{
    spawn(sleep_unsignalled, NULL);
    all(NULL);
    reaped = missed = told = 0;
    pthread_join(spawn(all, NULL), NULL);
    puts("ok");
    return 0;
}
