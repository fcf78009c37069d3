// Proves: syscall(SYS_futex): WAIT and WAKE counts, EAGAIN, timeouts relative and absolute,
// bitsets, REQUEUE, CMP_REQUEUE and WAKE_OP between threads; gettid is unique per thread; unknown
// numbers give ENOSYS; what the kernel refuses, shared and private.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static atomic_int word, other, awake;

static long futex(atomic_int *w, int op, unsigned val, const void *timeout, atomic_int *w2,
                  unsigned val3)
{
    return syscall(SYS_futex, w, op | FUTEX_PRIVATE_FLAG, val, timeout, w2, val3);
}

static void *waits(void *arg)
{
    CHECK(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, (unsigned)(uintptr_t)arg) == 0);
    atomic_fetch_add(&awake, 1);
    return NULL;
}

static void until(int n)
{
    while (awake != n)
        usleep(500);
    usleep(2000);
    CHECK(awake == n);
}

static void *identity(void *arg)
{
    long id = syscall(SYS_gettid);
    usleep(3000);
    CHECK(id > 0 && id == syscall(SYS_gettid) && id == gettid());
    *(long *)arg = id;
    usleep(3000);
    return NULL;
}

#define SHOW(x)                                                                                    \
    do {                                                                                           \
        long r_ = (x);                                                                             \
        printf("%s: %s\n", #x, r_ < 0 ? strerrorname_np(errno) : "ok");                            \
    } while (0)

static long as_given(int op, unsigned val, const void *timeout, void *w2, unsigned val3)
{
    other = 5;
    return syscall(SYS_futex, &word, op, val, timeout, w2, val3);
}

/* What is refused, or done before it is refused. */
static void answers(int private)
{
    struct timespec past = {0, 1}, bad = {0, 1000000000}, before = {-1, 0};
    char *odd = (char *)&other + 2, *nowhere = (char *)8;
    SHOW(as_given(FUTEX_WAIT | private | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0));
    SHOW(as_given(FUTEX_WAIT_BITSET | private | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 1));
    SHOW(as_given(FUTEX_WAKE | private | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0));
    SHOW(as_given(FUTEX_WAIT | private, 0, &bad, NULL, 0));
    SHOW(as_given(FUTEX_WAIT_BITSET | private, 0, &before, NULL, 1));
    SHOW(as_given(FUTEX_WAKE_BITSET | private, 1, NULL, NULL, 0));
    SHOW(as_given(FUTEX_WAIT | private, 0, nowhere, NULL, 0));
    SHOW(as_given(FUTEX_REQUEUE | private, UINT_MAX, (void *)1, &other, 0));
    SHOW(as_given(FUTEX_REQUEUE | private, 1, (void *)-1L, &other, 0));
    SHOW(as_given(FUTEX_CMP_REQUEUE | private, 1, (void *)1, odd, 0));
    SHOW(as_given(FUTEX_CMP_REQUEUE | private, 1, (void *)1, nowhere, 0));
    SHOW(as_given(FUTEX_CMP_REQUEUE | private, 1, (void *)1, NULL, 0));
    SHOW(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAKE | private, 1, NULL, NULL, 0));
    SHOW(syscall(SYS_futex, -8L, FUTEX_WAKE | private, 1, NULL, NULL, 0));
    SHOW(syscall(SYS_futex, nowhere, FUTEX_WAKE | private, 1, NULL, NULL, 0));
    SHOW(syscall(SYS_futex, nowhere, FUTEX_WAIT | private, 1, NULL, NULL, 0));
    SHOW(as_given(100 | private, 0, NULL, NULL, 0));
    for (unsigned op = 0; op < 16; op++) {
        for (unsigned cmp = 0; cmp < 8; cmp++) {
            long r = as_given(FUTEX_WAKE_OP | private, 1, (void *)1, &other,
                              op << 28 | cmp << 24 | 3 << 12 | 5);
            printf("op %u cmp %u: %ld, %d\n", op, cmp, r < 0 ? -errno : r, other);
        }
    }
    other = 0;
}

static void *all_answers(void *arg)
{
    answers(0);
    answers(FUTEX_PRIVATE_FLAG);
    return arg;
}

int main(void)
{
    pthread_t t[10];
    long ids[10];
    struct timespec rel = {0, 50000000}, at;
    double start = now();
    CHECK(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0) == -1 && errno == EAGAIN);
    CHECK(futex(&word, FUTEX_WAIT, 0, &rel, NULL, 0) == -1 && errno == ETIMEDOUT);
    CHECK(now() - start >= 0.049);
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (at.tv_nsec + 50000000) / 1000000000;
    at.tv_nsec = (at.tv_nsec + 50000000) % 1000000000;
    CHECK(futex(&word, FUTEX_WAIT_BITSET, 0, &at, NULL, 1) == -1 && errno == ETIMEDOUT);
    CHECK(now() - start >= 0.098 && now() - start < 5);
    CHECK(futex(&word, FUTEX_WAIT_BITSET, 0, &at, NULL, 0) == -1 && errno == EINVAL);
    CHECK(futex(&word, FUTEX_WAKE, 5, NULL, NULL, 0) == 0);
    for (int i = 0; i < 10; i++)
        t[i] = spawn(waits, (void *)(uintptr_t)(i < 5 ? 1 : 2));
    usleep(1000000); // all ten wait now, also on a busy machine
    CHECK(futex(&word, FUTEX_WAKE_BITSET, 100, NULL, NULL, 4) == 0);
    CHECK(futex(&word, FUTEX_WAKE_BITSET, 2, NULL, NULL, 1) == 2);
    until(2);
    CHECK(futex(&word, FUTEX_WAKE_BITSET, 100, NULL, NULL, 1) == 3);
    until(5);
    CHECK(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &other, 7) == -1 && errno == EAGAIN);
    CHECK(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)2, &other, 0) == 3); // one woken, two moved
    until(6);
    CHECK(futex(&other, FUTEX_WAKE, 100, NULL, NULL, 0) == 2);
    until(8);
    CHECK(futex(&word, FUTEX_REQUEUE, 0, (void *)1, &other, 0) == 1);
    CHECK(futex(&word, FUTEX_WAKE_OP, 5, (void *)5, &other,
                FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)) == 2);
    CHECK(other == 3);
    until(10);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < 10; i++)
        t[i] = spawn(identity, &ids[i]);
    for (int i = 0; i < 10; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < 10; i++)
        for (int k = 0; k < i; k++)
            CHECK(ids[i] != ids[k] && ids[i] != getpid());
    CHECK(gettid() == getpid());
    CHECK(syscall(100000) == -1 && errno == ENOSYS);
    all_answers(NULL);
    CHECK(pthread_join(spawn(all_answers, NULL), NULL) == 0);
    puts("futex ok");
    return 0;
}
