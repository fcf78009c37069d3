// Proves: futex_waitv by number: a wake-up of any of its words, private or not, by another thread or process, ends
// it with that word's index; limits on both clocks, words that differ, handlers with SA_RESTART and without, and what the
// kernel refuses.
#define _GNU_SOURCE
#include "check.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

enum { WORDS = 5, MOST = 128 };

/* The kernel's. */
struct waitv {
    uint64_t val, uaddr;
    uint32_t flags, reserved;
};

static atomic_uint here[MOST + 1], *both; // both: of two processes
static atomic_int waiting, handled;

static long wait_any(struct waitv *v, unsigned n, unsigned flags, const struct timespec *at,
                     clockid_t clock)
{
    return syscall(SYS_futex_waitv, v, n, flags, at, clock);
}

static void fill(struct waitv *v, atomic_uint *words, unsigned n, unsigned private)
{
    for (unsigned i = 0; i < n; i++)
        v[i] = (struct waitv){words[i], (uintptr_t)&words[i], 2 /* FUTEX_32 */ | private, 0};
}

static long wake(atomic_uint *word, unsigned private)
{
    return syscall(SYS_futex, word, FUTEX_WAKE | private, 1, NULL, NULL, 0);
}

static void wake_until_done(atomic_uint *word, unsigned private)
{
    double start = now();
    while (wake(word, private) == 0 && now() - start < 20)
        usleep(500);
    CHECK(now() - start < 20);
}

static void *waits_private(void *index)
{
    struct waitv v[WORDS];
    fill(v, here, WORDS, FUTEX_PRIVATE_FLAG);
    CHECK(wait_any(v, WORDS, 0, NULL, 0) == (intptr_t)index);
    return NULL;
}

static void *waits_mixed(void *index)
{
    struct waitv v[WORDS];
    fill(v, here, WORDS, FUTEX_PRIVATE_FLAG);
    fill(v, both, 2, 0);
    waiting = 1;
    long r = wait_any(v, WORDS, 0, NULL, 0);
    CHECK(r == (intptr_t)index || (r < 0 && errno == EAGAIN && both[1])); // changed before
    return NULL;
}

static void *waits_shared(void *index)
{
    struct waitv v[WORDS];
    fill(v, both, WORDS, 0);
    CHECK(wait_any(v, WORDS, 0, NULL, 0) == (intptr_t)index);
    return NULL;
}

// In memory of this process alone.
static void *waits_unmarked(void *index)
{
    struct waitv v[WORDS];
    fill(v, here, WORDS, 0);
    CHECK(wait_any(v, WORDS, 0, NULL, 0) == (intptr_t)index);
    return NULL;
}

static void *waits_for_most(void *index)
{
    struct waitv v[MOST];
    fill(v, here, MOST, FUTEX_PRIVATE_FLAG);
    CHECK(wait_any(v, MOST, 0, NULL, 0) == (intptr_t)index);
    return NULL;
}

static void wakes(void)
{
    pthread_t t = spawn(waits_private, (void *)3);
    wake_until_done(&here[3], FUTEX_PRIVATE_FLAG);
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(waits_mixed, (void *)4);
    wake_until_done(&here[4], FUTEX_PRIVATE_FLAG);
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(waits_mixed, (void *)1);
    wake_until_done(&both[1], 0);
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(waits_shared, (void *)0);
    wake_until_done(&both[0], 0);
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(waits_unmarked, (void *)2);
    wake_until_done(&here[2], 0);
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(waits_for_most, (void *)(MOST - 1));
    wake_until_done(&here[MOST - 1], FUTEX_PRIVATE_FLAG);
    CHECK(pthread_join(t, NULL) == 0);
}

// The other process wakes, once by a wake-up alone and once with a new value.
static void processes(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        wake_until_done(&both[2], 0);
        while (both[4] == 0)
            usleep(1000);
        both[1] = 1;
        wake(&both[1], 0);
        _exit(0);
    }
    CHECK(pthread_join(spawn(waits_shared, (void *)2), NULL) == 0);
    waiting = 0;
    pthread_t t = spawn(waits_mixed, (void *)1);
    while (!waiting)
        usleep(1000);
    usleep(20000);
    both[4] = 1;
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    both[1] = both[4] = 0;
}

#define SHOW(x)                                                                                    \
    do {                                                                                           \
        long r_ = (x);                                                                             \
        printf("%s: %ld %s\n", #x, r_, r_ < 0 ? strerrorname_np(errno) : "");                      \
    } while (0)

static void *answers(void *arg)
{
    struct waitv v[MOST + 1];
    struct timespec past = {1, 0}, bad = {1, 1000000000}, at = ms_from_now(CLOCK_MONOTONIC, 30);
    double start = now();
    fill(v, here, MOST + 1, FUTEX_PRIVATE_FLAG);
    SHOW(wait_any(v, 2, 0, &past, CLOCK_MONOTONIC));
    SHOW(wait_any(v, 2, 0, &past, CLOCK_REALTIME));
    SHOW(wait_any(v, 2, 0, &past, CLOCK_BOOTTIME));
    SHOW(wait_any(v, 2, 0, &bad, CLOCK_MONOTONIC));
    SHOW(wait_any(v, 2, 0, &at, CLOCK_MONOTONIC));
    CHECK(now() - start >= 0.029);
    at = ms_from_now(CLOCK_REALTIME, 30);
    SHOW(wait_any(v, 2, 0, &at, CLOCK_REALTIME));
    CHECK(now() - start >= 0.059 && now() - start < 10);
    SHOW(wait_any(v, 0, 0, NULL, 0));
    SHOW(wait_any(v, MOST + 1, 0, NULL, 0));
    SHOW(wait_any(NULL, 1, 0, NULL, 0));
    SHOW(wait_any(v, 1, 1, NULL, 0));
    SHOW(wait_any((struct waitv *)8, 1, 0, NULL, 0));
    SHOW(wait_any(v, 1, 0, (struct timespec *)8, CLOCK_MONOTONIC));
    v[1].val = 7;
    SHOW(wait_any(v, 2, 0, NULL, 0));
    v[1].val = 0;
    v[1].uaddr += 2;
    SHOW(wait_any(v, 2, 0, NULL, 0));
    v[1].uaddr = 8;
    SHOW(wait_any(v, 2, 0, NULL, 0));
    fill(v, here, 2, FUTEX_PRIVATE_FLAG);
    v[1].reserved = 1;
    SHOW(wait_any(v, 2, 0, NULL, 0));
    v[1].reserved = 0;
    v[1].flags = FUTEX_PRIVATE_FLAG;
    SHOW(wait_any(v, 2, 0, NULL, 0));
    return arg;
}

static void handler(int sig)
{
    (void)sig;
    handled++;
}

static void *interrupted(void *arg)
{
    struct waitv v[2];
    fill(v, here, 2, FUTEX_PRIVATE_FLAG);
    waiting = 1;
    long r = wait_any(v, 2, 0, NULL, 0);
    if (arg)
        CHECK(r == 1 && handled > 0);
    else
        CHECK(r == -1 && errno == EINTR && handled > 0);
    waiting = 0;
    return NULL;
}

static void signals(int flags)
{
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags};
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    waiting = handled = 0;
    pthread_t t = spawn(interrupted, flags ? &here : NULL);
    while (!waiting)
        usleep(1000);
    usleep(50000);
    do {
        CHECK(pthread_kill(t, SIGUSR1) == 0); // the first may come before the wait
        usleep(10000);
    } while (flags ? !handled : waiting);
    if (flags)
        wake_until_done(&here[1], FUTEX_PRIVATE_FLAG);
    CHECK(pthread_join(t, NULL) == 0);
}

int main(void)
{
    both = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(both != MAP_FAILED);
    answers(NULL);
    if (wait_any(NULL, 0, 0, NULL, 0) == -1 && errno == ENOSYS)
        return 77; // before Linux 5.16
    wakes();
    CHECK(pthread_join(spawn(answers, NULL), NULL) == 0);
    answers(NULL);
    processes();
    signals(0);
    signals(SA_RESTART);
    puts("woken");
    return 0;
}
