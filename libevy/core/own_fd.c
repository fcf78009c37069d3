#include "core/own_fd.h"

#include "base/config.h"
#include "base/log.h"
#include "base/spin.h"
#include "base/sys.h"
#include "body/critical.h"
#include "core/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>

#define HIGHEST                                                                                    \
    (4096 - 64) /* a higher number would cost the kernel a larger table, and fork a copy of it */
#define LOWEST 64

static atomic_int *homes[HUB_SLOTS * 3]; /* where the number of each is kept; lock */
static unsigned home_count;              /* lock */
static struct spin lock;            /* protects homes and what they hold; nests inside nothing */
static atomic_int lowest = INT_MAX; /* the program's own are nearly always below */
static atomic_int numbers;          /* above 0: how many hold them; below: how many pass */

static void settle(atomic_int *home, int fd)
{
    atomic_store_explicit(home, fd, memory_order_relaxed);
    if (fd < lowest)
        lowest = fd;
}

/* Another number for the open file at fd, at least that high. */
static long move_up(int fd)
{
    struct rlimit limit;
    long r = sys_call4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit);
    long floor = r == 0 && limit.rlim_cur <= HIGHEST ? (long)limit.rlim_cur - LOWEST : HIGHEST;
    do {
        r = sys_fcntl(fd, F_DUPFD_CLOEXEC, floor);
        floor /= 2;
    } while (r < 0 && floor > LOWEST);
    return r;
}

int own_fd(int fd, atomic_int *home)
{
    if (fd < 0)
        return fd;
    long high = move_up(fd);
    if (high >= 0)
        sys_close(fd);
    critical_enter();
    spin_lock(&lock);
    check(home_count < array_len(homes));
    homes[home_count++] = home;
    settle(home, high >= 0 ? (int)high : fd);
    spin_unlock(&lock);
    critical_leave();
    return 0;
}

static atomic_int *find(int fd)
{
    for (unsigned i = 0; i < home_count; i++)
        if (atomic_load_explicit(homes[i], memory_order_relaxed) == fd)
            return homes[i];
    return NULL;
}

void own_fd_close(atomic_int *home)
{
    critical_enter();
    spin_lock(&lock);
    unsigned i = 0;
    while (i < home_count && homes[i] != home)
        i++;
    bool known = i < home_count;
    if (known)
        homes[i] = homes[--home_count];
    spin_unlock(&lock);
    critical_leave();
    if (known)
        sys_close(*home);
}

bool own_fd_is(int fd)
{
    if (likely(fd < atomic_load_explicit(&lowest, memory_order_relaxed)))
        return false;
    return find(fd) != NULL;
}

int own_fd_give_way(int fd)
{
    if (!own_fd_is(fd))
        return 0;
    critical_enter();
    spin_lock(&lock);
    atomic_int *home = find(fd);
    long r = home ? move_up(fd) : 0;
    if (home && r >= 0) {
        settle(home, (int)r);
        r = 0;
    }
    spin_unlock(&lock);
    critical_leave();
    return (int)r;
}

/* One more who holds (1) or passes (-1): false while others do the opposite. */
static bool join(int one)
{
    int all = atomic_load(&numbers);
    while (all * one >= 0)
        if (atomic_compare_exchange_weak(&numbers, &all, all + one))
            return true;
    return false;
}

bool own_fds_try_pass(void)
{
    critical_enter();
    bool passing = join(-1);
    if (!passing)
        critical_leave();
    return passing;
}

void own_fds_pass(void)
{
    critical_enter();
    while (!join(-1))
        sys_yield();
}

void own_fds_passed(void)
{
    atomic_fetch_add(&numbers, 1);
    critical_leave();
}

void own_fds_hold(void)
{
    critical_enter();
    while (!join(1))
        sys_yield();
}

void own_fds_release(void)
{
    atomic_fetch_sub(&numbers, 1);
    critical_leave();
}

void own_fds_forget(void)
{
    atomic_store(&numbers, 0);
    for (unsigned i = 0; i < home_count; i++)
        sys_close(*homes[i]);
    home_count = 0;
    lowest = INT_MAX;
}

void own_fd_fork_locks(bool take)
{
    if (take)
        own_fds_hold();
    spin_fork(&lock, take);
    if (!take)
        own_fds_release();
}
