// env: EVY_LOG=off
// Proves: each thread has its own alternate signal stack: sigaltstack answers for it as natively, handlers with
// SA_ONSTACK run there at once or put off, and an overflowing thread's SIGSEGV handler reaches it and may leave it.
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define SIZE 32768
#define DISARM ((int)(1U << 31))
#define RESTORER 0x04000000 /* x86: libc sets it and tells it */

static __thread char *mine; /* this thread's alternate stack */
static __thread sigjmp_buf back;
static __thread volatile sig_atomic_t on_it;     /* handlers that ran on it */
static __thread volatile sig_atomic_t elsewhere; /* and that did not */
static __thread volatile uintptr_t fault;        /* address and context of the last one */
static __thread volatile uintptr_t reported_sp;

static int is_mine(const void *p)
{
    return mine && (const char *)p >= mine && (const char *)p < mine + SIZE;
}

static void count(int sig)
{
    char here;
    (void)sig;
    is_mine(&here) ? on_it++ : elsewhere++;
}

static void count_slowly(int sig, siginfo_t *info, void *context)
{
    stack_t now;
    ucontext_t *uc = context;
    count(sig);
    (void)info;
    CHECK(sigaltstack(NULL, &now) == 0);
    CHECK(now.ss_flags == (is_mine(&now) ? SS_ONSTACK : 0) && now.ss_sp == mine);
    CHECK(uc->uc_stack.ss_sp == mine && uc->uc_stack.ss_size == SIZE);
    if (is_mine(&now))
        CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == -1 && errno == EPERM);
    for (int i = 0; i < 20; i++)
        usleep(100); /* others run meanwhile, with theirs */
    count(sig);
}

static void disarmed(int sig)
{
    stack_t now;
    count(sig);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_DISABLE && now.ss_size == 0);
}

static void overflow(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    count(sig);
    fault = (uintptr_t)info->si_addr;
    reported_sp = (uintptr_t)uc->uc_stack.ss_sp;
    siglongjmp(back, 1);
}

static void handle(int sig, void (*fn)(int), int flags)
{
    struct sigaction act = {.sa_handler = fn, .sa_flags = flags};
    CHECK(sigaction(sig, &act, NULL) == 0);
}

static void set_mine(int flags)
{
    stack_t alt = {.ss_sp = mine, .ss_size = SIZE, .ss_flags = flags};
    CHECK(sigaltstack(&alt, NULL) == 0);
}

static __attribute__((noinline)) int dig(int depth)
{
    volatile char room[512];
    room[0] = (char)depth;
    return depth < 0 ? 0 : dig(depth + 1) + room[0];
}

static void answers(void)
{
    stack_t old, bad = {.ss_sp = mine, .ss_size = SIZE, .ss_flags = 77};
    CHECK(sigaltstack(NULL, &old) == 0);
    CHECK(old.ss_flags == SS_DISABLE && old.ss_sp == NULL && old.ss_size == 0);
    CHECK(sigaltstack(&bad, NULL) == -1 && errno == EINVAL);
    bad = (stack_t){.ss_sp = mine, .ss_size = 100};
    CHECK(sigaltstack(&bad, NULL) == -1 && errno == ENOMEM);
    CHECK(sigaltstack(&(stack_t){.ss_sp = mine, .ss_size = SIZE}, &old) == 0);
    CHECK(old.ss_flags == SS_DISABLE);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == 0 && old.ss_sp == mine &&
          old.ss_size == SIZE);
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, &old) == 0 && old.ss_sp == mine);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
}

static void handlers(void)
{
    pthread_kill(pthread_self(), SIGUSR1); /* no alternate stack: on the thread's */
    CHECK(on_it == 0 && elsewhere == 1);
    set_mine(0);
    pthread_kill(pthread_self(), SIGUSR1);
    CHECK(on_it == 1);
    pthread_kill(pthread_self(), SIGUSR2); /* parks on it */
    CHECK(on_it == 3);
    pthread_kill(pthread_self(), SIGHUP); /* handler without SA_ONSTACK */
    CHECK(on_it == 3 && elsewhere == 2);
    set_mine(DISARM);
    pthread_kill(pthread_self(), SIGTERM);
    CHECK(on_it == 4);
    stack_t old;
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == DISARM && old.ss_sp == mine);
    set_mine(0);
}

static void overflows(void)
{
    for (int i = 0; i < 3; i++) {
        char here;
        if (sigsetjmp(back, 1) == 0)
            dig(0);
        CHECK(on_it == 5 + i && elsewhere == 2 && reported_sp == (uintptr_t)mine);
        CHECK((uintptr_t)&here - fault < (uintptr_t)(1 << 20)); /* below on this stack */
        sched_yield();
    }
}

static void *whole(void *arg)
{
    mine = malloc(SIZE);
    answers();
    handlers();
    overflows();
    free(mine);
    return arg;
}

static pthread_t sleeper;
static atomic_int asleep;

static void *sleeps(void *arg)
{
    mine = malloc(SIZE);
    set_mine(0);
    asleep = 1;
    while (on_it < 2)
        usleep(1000000);
    CHECK(on_it == 2 && elsewhere == 0);
    free(mine);
    return arg;
}

int main(void)
{
    struct sigaction act = {.sa_flags = SA_ONSTACK | SA_SIGINFO};
    pthread_attr_t attr;
    pthread_t t[20];
    handle(SIGUSR1, count, SA_ONSTACK);
    handle(SIGHUP, count, 0);
    act.sa_sigaction = count_slowly;
    CHECK(sigaction(SIGUSR2, &act, NULL) == 0);
    handle(SIGTERM, disarmed, SA_ONSTACK);
    act.sa_sigaction = overflow;
    CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 << 10);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_create(&t[i], &attr, whole, NULL) == 0);
    for (int i = 0; i < 20; i++)
        pthread_join(t[i], NULL);
    sleeper = spawn(sleeps, NULL);
    while (!asleep)
        usleep(1000);
    usleep(20000);
    pthread_kill(sleeper, SIGUSR2); /* found in a wait: the handler is put off */
    pthread_join(sleeper, NULL);
    CHECK(sigaction(SIGSEGV, NULL, &act) == 0 && act.sa_sigaction == overflow &&
          (act.sa_flags & ~RESTORER) == (SA_ONSTACK | SA_SIGINFO));
    puts("ok");
    return 0;
}
