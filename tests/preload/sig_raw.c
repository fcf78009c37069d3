// Proves: signal calls made by number through syscall() concern the calling thread as natively, with sets of eight bytes:
// rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigsuspend, rt_sigtimedwait, rt_sigqueueinfo, rt_tgsigqueueinfo,
// sigaltstack; timers so made on the thread's own CPU clock, or for one thread.
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include "check.h"

#define SIZE ((long)sizeof(uint64_t))

// As the kernel has it.
struct action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static __thread volatile sig_atomic_t handled, value;
static __thread volatile uintptr_t at;
static atomic_int tid;
static atomic_bool go, blocked;

static void handler(int sig, siginfo_t *info, void *context)
{
    (void)context;
    CHECK(sig == SIGUSR1 || sig == SIGUSR2);
    handled++;
    value = info->si_value.sival_int;
    at = (uintptr_t)&sig;
}

static uint64_t bit(int sig)
{
    return UINT64_C(1) << (sig - 1);
}

static uint64_t change(int how, uint64_t set)
{
    uint64_t old[2] = {0, 42};
    CHECK(syscall(SYS_rt_sigprocmask, how, &set, old, SIZE) == 0 && old[1] == 42);
    return old[0];
}

// The library's call knows the trampoline by which a handler returns; it is kept.
static void install(int sig, unsigned long flags)
{
    struct sigaction usual = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    struct action act, old;
    CHECK(sigaction(sig, &usual, NULL) == 0);
    CHECK(syscall(SYS_rt_sigaction, sig, NULL, &act, SIZE) == 0 && act.handler == handler);
    act.flags |= flags;
    act.mask = bit(SIGTERM);
    CHECK(syscall(SYS_rt_sigaction, sig, &act, NULL, SIZE) == 0);
    CHECK(syscall(SYS_rt_sigaction, sig, NULL, &old, SIZE) == 0 && old.handler == handler);
    CHECK(old.flags == act.flags && old.mask == act.mask);
    CHECK(syscall(SYS_rt_sigaction, sig, &act, NULL, 7L) == -1 && errno == EINVAL);
}

static void send_raw(long number, int to, int sig, int with)
{
    siginfo_t info = {.si_signo = sig, .si_code = SI_QUEUE, .si_value.sival_int = with};
    if (number == SYS_rt_sigqueueinfo)
        CHECK(syscall(number, to, sig, &info) == 0);
    else
        CHECK(syscall(number, getpid(), to, sig, &info) == 0);
}

static void *other(void *arg)
{
    uint64_t set = bit(SIGUSR1), none = 0, pending[2] = {0, 42};
    struct timespec soon = {0, 1000000}, long_time = {20, 0};
    siginfo_t info;
    CHECK(change(SIG_BLOCK, set) == 0);
    tid = (int)syscall(SYS_gettid);
    while (!go)
        usleep(100);
    CHECK(handled == 0 && syscall(SYS_rt_sigpending, pending, SIZE) == 0 && pending[0] == set);
    CHECK(pending[1] == 42 && syscall(SYS_rt_sigsuspend, &none, SIZE) == -1 && errno == EINTR);
    CHECK(handled == 1 && value == 7);
    CHECK(syscall(SYS_rt_sigtimedwait, &set, &info, &soon, SIZE) == -1 && errno == EAGAIN);
    blocked = true;
    CHECK(syscall(SYS_rt_sigtimedwait, &set, &info, &long_time, SIZE) == SIGUSR1);
    CHECK(info.si_value.sival_int == 8 && handled == 1);
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
    CHECK(syscall(SYS_rt_sigtimedwait, &set, &info, NULL, SIZE) == SIGUSR1);
    CHECK(info.si_code == SI_TKILL);
    CHECK(change(SIG_SETMASK, 0) == set);
    return arg;
}

static void on_own_stack(void)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536}, old;
    CHECK(syscall(SYS_sigaltstack, &stack, NULL) == 0 && syscall(SYS_sigaltstack, NULL, &old) == 0);
    CHECK(old.ss_sp == stack.ss_sp && old.ss_size == stack.ss_size);
    install(SIGUSR2, SA_ONSTACK);
    raise(SIGUSR2);
    CHECK(at - (uintptr_t)stack.ss_sp < stack.ss_size);
}

// Some libraries ask so whether memory can be read.
static void look_at_memory(void)
{
    uint64_t set = 0;
    CHECK(syscall(SYS_rt_sigprocmask, ~0, &set, NULL, SIZE) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_rt_sigprocmask, ~0, 16L, NULL, SIZE) == -1 && errno == EFAULT);
}

static void wait_with_bad_memory(void)
{
    uint64_t set = bit(SIGUSR1);
    CHECK(change(SIG_BLOCK, set) == 0 && kill(getpid(), SIGUSR1) == 0);
    CHECK(syscall(SYS_rt_sigtimedwait, &set, 16L, NULL, SIZE) == -1 && errno == EFAULT);
    CHECK(change(SIG_SETMASK, 0) == set);
}

static int make_timer(int clock, struct sigevent *event, long every_ns)
{
    struct itimerspec when = {{0, every_ns}, {0, every_ns}}, left;
    int timer[2] = {-1, 42};
    CHECK(syscall(SYS_timer_create, clock, event, timer) == 0 && timer[0] >= 0 && timer[1] == 42);
    CHECK(syscall(SYS_timer_settime, timer[0], 0, &when, NULL) == 0);
    CHECK(syscall(SYS_timer_gettime, timer[0], &left) == 0);
    CHECK(left.it_interval.tv_nsec == every_ns && left.it_value.tv_nsec <= every_ns);
    return timer[0];
}

static void *timer_for_me(void *arg)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    event.sigev_value.sival_int = 11;
    int timer = make_timer(CLOCK_MONOTONIC, &event, 5000000);
    while (handled < 2)
        usleep(1000);
    CHECK(value == 11 && syscall(SYS_timer_delete, timer) == 0);
    return arg;
}

// Computes for so long that a runtime with one kernel thread for many would go on elsewhere.
static void timers(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 10;
    pthread_t t = spawn(timer_for_me, NULL);
    CHECK(pthread_join(t, NULL) == 0);
    handled = 0;
    int timer = make_timer(CLOCK_THREAD_CPUTIME_ID, &event, 30000000);
    for (int i = 1; i < 4; i++) {
        struct timespec now;
        while (handled < i)
            ;
        CHECK(value == 10 && syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    }
    CHECK(syscall(SYS_timer_delete, timer) == 0);
    CHECK(syscall(SYS_timer_delete, timer) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_timer_delete, -1) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_timer_settime, -1, 0, 16L, NULL) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, 16L, &timer) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, NULL, 16L) == -1 && errno == EFAULT);
}

int main(void)
{
    pthread_t t = spawn(other, NULL);
    while (!tid)
        usleep(100);
    install(SIGUSR1, SA_RESTART);
    send_raw(SYS_rt_tgsigqueueinfo, tid, SIGUSR1, 7);
    go = true;
    while (!blocked)
        usleep(100);
    usleep(2000);
    CHECK(handled == 0 && change(SIG_BLOCK, 0) == 0);
    send_raw(SYS_rt_tgsigqueueinfo, tid, SIGUSR1, 8);
    CHECK(pthread_join(t, NULL) == 0);
    send_raw(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 9);
    while (!handled)
        usleep(100);
    CHECK(value == 9);
    on_own_stack();
    look_at_memory();
    wait_with_bad_memory();
    timers();
    puts("by number as by name");
    return 0;
}
