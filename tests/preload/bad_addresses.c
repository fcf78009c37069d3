// Proves: calls that are given addresses of nothing, or of too little, fail as natively instead of crashing.
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

static char *edge; /* nothing can be read from here on, all before it can */
static int fds[2];
static int set; /* of semaphores */

#define TELL(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long r_ = (long)(call);                                                                    \
        printf("%d: %ld %s\n", __LINE__, r_, strerrorname_np(errno));                              \
    } while (0)

static void waits(void *bad, void *torn)
{
    struct timespec soon = {0, 1000};
    struct epoll_event event;
    int ep = epoll_create1(0);
    TELL(poll(bad, 1, 10));
    TELL(poll(torn, 1, 10));
    TELL(poll(bad, UINT_MAX, 10));
    TELL(ppoll(bad, 1, &soon, NULL));
    TELL(select(1, bad, NULL, NULL, NULL));
    TELL(select(1, NULL, NULL, torn, NULL));
    TELL(pselect(1, NULL, bad, NULL, &soon, NULL));
    TELL(nanosleep(bad, NULL));
    TELL(nanosleep(torn, NULL));
    TELL(clock_nanosleep(CLOCK_MONOTONIC, 0, bad, NULL));
    TELL(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, torn, NULL));
    TELL(ppoll(NULL, 0, &soon, bad));
    TELL(pselect(0, NULL, NULL, NULL, &soon, torn));
    TELL(epoll_pwait(ep, &event, 1, 10, bad));
    TELL(epoll_pwait2(ep, &event, 1, bad, NULL));
    TELL(epoll_pwait2(ep, &event, 1, &soon, torn));
    TELL(sigpending(bad));
    TELL(sigsuspend(bad));
    TELL(semop(set, bad, 1));
}

static void moves(void *bad, void *torn)
{
    struct iovec list = {bad, 8};
    struct mmsghdr one = {0};
    struct msghdr msg = {.msg_iov = bad, .msg_iovlen = 1};
    TELL(readv(fds[0], bad, 1));
    TELL(writev(fds[0], torn, 1));
    TELL(writev(fds[0], &list, 1));
    TELL(recvmsg(fds[0], bad, 0));
    TELL(recvmsg(fds[0], &msg, 0));
    TELL(sendmsg(fds[0], torn, 0));
    TELL(sendmsg(fds[0], &msg, 0));
    msg = (struct msghdr){.msg_control = bad, .msg_controllen = 64};
    TELL(sendmsg(fds[0], &msg, 0));
    TELL(sendmmsg(fds[0], bad, 2, 0));
    TELL(recvmmsg(fds[0], bad, 2, 0, NULL));
    TELL(recvmmsg(fds[0], &one, 1, 0, bad));
    TELL(ioctl(fds[0], FIONBIO, bad));
    CHECK(write(fds[1], "ab", 2) == 2);
    TELL(recvfrom(fds[0], &one, 1, 0, NULL, bad));
    TELL(recvfrom(fds[0], &one, 1, 0, (struct sockaddr *)&msg, bad));
    TELL(prctl(PR_SET_NAME, bad));
    TELL(prctl(PR_GET_NAME, bad));
}

static void by_number(void *bad, void *torn)
{
    static int word;
    TELL(syscall(SYS_futex, bad, FUTEX_WAIT_PRIVATE, 0, NULL));
    TELL(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, torn));
    TELL(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1L, bad, 0));
    TELL(syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1L, bad, 0));
    TELL(syscall(SYS_futex, edge, FUTEX_WAKE, 1));
    TELL(syscall(SYS_select, 0L, NULL, NULL, NULL, torn));
    TELL(syscall(SYS_ppoll, NULL, 0L, torn, NULL, 8L));
    TELL(syscall(SYS_pselect6, 0L, NULL, NULL, NULL, bad, NULL));
    TELL(syscall(SYS_pselect6, 0L, NULL, NULL, NULL, NULL, torn));
    TELL(syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8L));
    TELL(syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad, 8L));
    TELL(syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8L));
    TELL(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad, 8L));
    TELL(syscall(SYS_rt_sigpending, bad, 8L));
    TELL(syscall(SYS_rt_sigsuspend, bad, 8L));
    TELL(syscall(SYS_rt_sigtimedwait, bad, NULL, NULL, 8L));
    TELL(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, bad));
    TELL(syscall(SYS_clone3, bad, 88L));
    TELL(syscall(SYS_clone3, torn, 88L));
}

static void semaphores(void *bad, void *torn)
{
    struct sembuf up = {0, 1, 0};
    struct timespec never = {-1, 0}, odd = {0, 1000000000};
    int set = semget(IPC_PRIVATE, 1, 0600);
    TELL(semop(set, bad, 1));
    TELL(semop(set, torn, 1));
    TELL(semtimedop(set, &up, 1, bad));
    TELL(semtimedop(set, &up, 1, &never));
    TELL(semtimedop(set, &up, 1, &odd));
    CHECK(semctl(set, 0, IPC_RMID) == 0);
}

static void *all(void *arg)
{
    semaphores((void *)16, edge - 4);
    waits((void *)16, edge - 4);
    waits(edge, edge - 1);
    moves((void *)16, edge - 4);
    moves(edge, edge - 1);
    by_number((void *)16, edge - 4);
    by_number(edge, edge - 1);
    return arg;
}

int main(void)
{
    long page = sysconf(_SC_PAGESIZE);
    char *p =
        mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED && mprotect(p + page, (size_t)page, PROT_NONE) == 0);
    edge = p + page;
    CHECK((set = semget(IPC_PRIVATE, 1, 0600)) >= 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    pthread_join(spawn(all, NULL), NULL);
    all(NULL);
    return semctl(set, 0, IPC_RMID);
}
