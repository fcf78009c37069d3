/* File locks, semaphores and message queues between processes: the kernel gives nothing to wait on, so a wait
   costs a kernel thread and the way back to the hub. What can be had at once costs neither. */
#include "arch/probe.h"
#include "io/blocking.h"
#include "io/calls.h"
#include "io/io.h"
#include "real/real.h"
#include "sync/cancel.h"

#include <string.h>

/* tried, if its answer is not that one would have to wait, else waits. */
#define TRY_OR_BLOCK(kind, type, tried, busy, waits)                                               \
    ({                                                                                             \
        type got_ = tried;                                                                         \
        if (got_ == -1 && (busy))                                                                  \
            got_ = BLOCKING(kind, type, waits);                                                    \
        got_;                                                                                      \
    })

int evy_flock(int fd, int operation)
{
    if (operation & LOCK_NB)
        return REAL(flock)(fd, operation);
    return TRY_OR_BLOCK(PLAIN, int, REAL(flock)(fd, operation | LOCK_NB), errno == EWOULDBLOCK,
                        REAL(flock)(fd, operation));
}

int evy_lockf(int fd, int command, off_t length)
{
    if (command != F_LOCK)
        return REAL(lockf)(fd, command, length);
    cancel_point();
    return TRY_OR_BLOCK(POINT, int, REAL(lockf)(fd, F_TLOCK, length),
                        errno == EAGAIN || errno == EACCES, REAL(lockf)(fd, F_LOCK, length));
}

int record_lock_wait(int fd, int cmd, long arg)
{
    int try = cmd == F_SETLKW ? F_SETLK : F_OFD_SETLK;
    cancel_point();
    return TRY_OR_BLOCK(POINT, int, REAL(fcntl)(fd, try, arg), errno == EAGAIN || errno == EACCES,
                        REAL(fcntl)(fd, cmd, arg));
}

ssize_t evy_msgrcv(int queue, void *message, size_t room, long type, int flags)
{
    cancel_point();
    if (flags & MSG_COPY) /* never waits */
        return REAL(msgrcv)(queue, message, room, type, flags);
    return TRY_OR_BLOCK(
        POINT, ssize_t, REAL(msgrcv)(queue, message, room, type, flags | IPC_NOWAIT),
        errno == ENOMSG && !(flags & IPC_NOWAIT), REAL(msgrcv)(queue, message, room, type, flags));
}

int evy_msgsnd(int queue, const void *message, size_t n, int flags)
{
    cancel_point();
    return TRY_OR_BLOCK(POINT, int, REAL(msgsnd)(queue, message, n, flags | IPC_NOWAIT),
                        errno == EAGAIN && !(flags & IPC_NOWAIT),
                        REAL(msgsnd)(queue, message, n, flags));
}

/* What cannot be tried like this waits, or fails. */
static int sem_try(int set, const struct sembuf *ops, size_t n, const struct timespec *timeout)
{
    struct sembuf now[8];
    if (n > array_len(now) || !probe(ops, n * sizeof *ops)) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(now, ops, n * sizeof *ops);
    for (size_t i = 0; i < n; i++)
        now[i].sem_flg |= IPC_NOWAIT;
    return REAL(semtimedop)(set, now, n, timeout);
}

int evy_semop(int set, struct sembuf *ops, size_t n)
{
    return TRY_OR_BLOCK(PLAIN, int, sem_try(set, ops, n, NULL), errno == EAGAIN,
                        REAL(semop)(set, ops, n));
}

int evy_semtimedop(int set, struct sembuf *ops, size_t n, const struct timespec *timeout)
{
    return TRY_OR_BLOCK(PLAIN, int, sem_try(set, ops, n, timeout), errno == EAGAIN,
                        REAL(semtimedop)(set, ops, n, timeout));
}

/* Waits only while the machine starts. */
ssize_t evy_getrandom(void *buf, size_t n, unsigned flags)
{
    cancel_point();
    return TRY_OR_BLOCK(POINT, ssize_t, REAL(getrandom)(buf, n, flags | GRND_NONBLOCK),
                        errno == EAGAIN && !(flags & GRND_NONBLOCK),
                        REAL(getrandom)(buf, n, flags));
}

static const struct timespec past; /* a deadline that makes the kernel not wait */

ssize_t evy_mq_receive(mqd_t queue, char *message, size_t room, unsigned *priority)
{
    cancel_point();
    return TRY_OR_BLOCK(POINT, ssize_t,
                        REAL(mq_timedreceive)(queue, message, room, priority, &past),
                        errno == ETIMEDOUT, REAL(mq_receive)(queue, message, room, priority));
}

ssize_t evy_mq_timedreceive(mqd_t queue, char *message, size_t room, unsigned *priority,
                            const struct timespec *at)
{
    return BLOCKING(POINT, ssize_t, REAL(mq_timedreceive)(queue, message, room, priority, at));
}

int evy_mq_send(mqd_t queue, const char *message, size_t n, unsigned priority)
{
    cancel_point();
    return TRY_OR_BLOCK(POINT, int, REAL(mq_timedsend)(queue, message, n, priority, &past),
                        errno == ETIMEDOUT, REAL(mq_send)(queue, message, n, priority));
}

int evy_mq_timedsend(mqd_t queue, const char *message, size_t n, unsigned priority,
                     const struct timespec *at)
{
    return BLOCKING(POINT, int, REAL(mq_timedsend)(queue, message, n, priority, at));
}

/* A logger that does not keep up holds its writers. */
void evy___vsyslog_chk(int priority, int flag, const char *format, va_list ap)
{
    BLOCKING(LOOKUP, int, (REAL(__vsyslog_chk)(priority, flag, format, ap), 0));
}

void evy_vsyslog(int priority, const char *format, va_list ap)
{
    evy___vsyslog_chk(priority, 0, format, ap);
}
