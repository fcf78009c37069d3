/* What the runtime itself asks of the kernel, raw: the answer is a value or -errno, errno and hooks are
   never involved. */
#ifndef EVY_SYS_H
#define EVY_SYS_H

#include "base/base.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "syscall.h" /* of this CPU: arch/<cpu> */

#define sys3(n, a, b, c) sys_call4(n, (long)(a), (long)(b), (long)(c), 0)

static inline long sys_write(int fd, const void *buf, size_t n)
{
    return sys3(SYS_write, fd, buf, n);
}

static inline long sys_read(int fd, void *buf, size_t n)
{
    return sys3(SYS_read, fd, buf, n);
}

static inline long sys_close(int fd)
{
    return sys3(SYS_close, fd, 0, 0);
}

static inline long sys_fcntl(int fd, int cmd, long arg)
{
    return sys3(SYS_fcntl, fd, cmd, arg);
}

/* What a file of /proc says, as a string: "" when it cannot be read, and no more than fits. Its length or -errno. */
static inline long sys_read_text(const char *path, char *text, size_t size)
{
    long fd = sys_call4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    long n = fd < 0 ? fd : sys_read((int)fd, text, size - 1);
    if (fd >= 0)
        sys_close((int)fd);
    text[n > 0 ? n : 0] = 0;
    return n;
}

/* Zeroed private memory that need not be committed now; -errno. */
static inline long sys_map(size_t bytes)
{
    return sys_call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static inline int sys_gettid(void)
{
    return (int)sys3(SYS_gettid, 0, 0, 0);
}

static inline void sys_yield(void)
{
    sys3(SYS_sched_yield, 0, 0, 0);
}

/* Orders the loads and stores of all of the process's threads; false when the kernel cannot. */
static inline bool sys_membarrier(void)
{
    return sys3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

/* Sleeps while *word == expected, at most until the absolute monotonic timeout (NULL: for ever). */
static inline long sys_futex_wait(const void *word, unsigned expected, const struct timespec *until)
{
    return sys_call6(SYS_futex, (long)word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
                     (long)until, 0, (long)FUTEX_BITSET_MATCH_ANY);
}

static inline long sys_futex_wake(const void *word, int count)
{
    return sys_call6(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, 0, 0, 0);
}

/* Changes the calling kernel thread's signal mask. Returns what it was. */
static inline uint64_t sys_sigmask(int how, const uint64_t *set)
{
    uint64_t old = 0;
    sys_call4(SYS_rt_sigprocmask, how, (long)set, (long)&old, sizeof old);
    return old;
}

#endif
