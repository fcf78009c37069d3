// run: 60
// Proves: handlers of faults that block all signals may compute for long, wait, return or be left by siglongjmp: each
// thread has its own mask meanwhile and afterwards, other threads' faults are handled, a blocked fault is fatal.
// Alternate stacks, SS_AUTODISARM too, are as natively.
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { THREADS = 8, FAULTS = 12, PAGE = 1 << 16 };

#define DISARM ((int)(1U << 31))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static __thread volatile char *volatile page;
static __thread int file;                            /* behind the page, -1: none */
static __thread char *alt;                           /* its alternate stack, NULL: none */
static __thread int alt_flags;                       /* of it */
static __thread volatile sig_atomic_t leave;         /* the next handler ends by siglongjmp */
static __thread volatile sig_atomic_t in_handler;    /* it runs now */
static __thread volatile sig_atomic_t faults, pokes; /* handled */
static __thread sigjmp_buf back;
static atomic_int all_faults;

static int blocks(int sig)
{
    sigset_t set;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &set) == 0);
    return sigismember(&set, sig);
}

static void compute(double seconds)
{
    for (double end = now() + seconds; now() < end;)
        ;
}

static void alt_is(int flags)
{
    stack_t now;
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == (alt ? flags : SS_DISABLE));
    CHECK(now.ss_flags == SS_DISABLE || (now.ss_sp == alt && now.ss_size == PAGE));
}

static void on_poke(int sig)
{
    (void)sig;
    CHECK(!in_handler && !leave);
    pokes++;
}

static void wait_for_others(void)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
    usleep(500);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)context;
    volatile char *at = info->si_addr;
    in_handler = 1;
    CHECK(at >= page && at < page + PAGE && blocks(sig) && blocks(SIGUSR1));
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0 && pokes == faults);
    alt_is(alt_flags == DISARM ? SS_DISABLE : SS_ONSTACK);
    if (faults % 4 == 0)
        compute(0.02);
    wait_for_others();
    if (faults % 4 == 1)
        compute(0.02);
    faults++;
    in_handler = 0;
    if (file >= 0)
        CHECK(ftruncate(file, PAGE) == 0);
    else
        CHECK(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE) == 0);
    if (leave--)
        siglongjmp(back, 1);
    leave = 0;
}

static void take_page_away(void)
{
    if (file >= 0)
        CHECK(ftruncate(file, 0) == 0);
    else
        CHECK(mprotect((void *)page, PAGE, PROT_NONE) == 0);
}

static void set_alt(void)
{
    if (alt)
        CHECK(sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = PAGE, .ss_flags = alt_flags}, NULL) ==
              0);
}

static void *fault_often(void *arg)
{
    int kind = *(int *)arg, files = kind & 1;
    alt = kind & 2 ? malloc(PAGE) : NULL;
    alt_flags = kind & 4 ? DISARM : 0;
    file = files ? memfd_create("page", 0) : -1;
    CHECK(!files || file >= 0);
    page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, files ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS,
                file, 0);
    CHECK(page != MAP_FAILED);
    for (int i = 0; i < FAULTS; i++) {
        take_page_away();
        set_alt();
        leave = i % 3 == 1;
        if (sigsetjmp(back, 1) == 0) {
            page[i] = 'x';
            alt_is(alt_flags);
        }
        atomic_fetch_add(&all_faults, 1);
        CHECK(faults == i + 1 && pokes == i + 1);
        CHECK(!blocks(SIGSEGV) && !blocks(SIGBUS) && !blocks(SIGUSR1));
        compute(0.001);
        sched_yield();
    }
    return NULL;
}

static void *fault_blocked(void *arg)
{
    sigset_t set;
    file = -1;
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *page = 'x';
    return arg;
}

static void handle(int sig)
{
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigfillset(&act.sa_mask);
    CHECK(sigaction(sig, &act, NULL) == 0);
}

static void blocked_kills(void)
{
    const struct rlimit none = {0, 0};
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &none);
        pthread_join(spawn(fault_blocked, NULL), NULL);
        _exit(9);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
    pthread_t t[THREADS];
    int kinds[THREADS];
    handle(SIGSEGV);
    handle(SIGBUS);
    signal(SIGUSR1, on_poke);
    for (int i = 0; i < THREADS; i++) {
        kinds[i] = i;
        t[i] = spawn(fault_often, &kinds[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    blocked_kills();
    printf("%d faults\n", all_faults);
    return 0;
}
