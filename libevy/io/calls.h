/* Green versions of libc's I/O and time calls: same arguments, results and errno; where the originals block,
   only the calling green thread waits. All may switch. They are what a hook calls for a green caller. Most are public:
   <evy/libc.h>. */
#ifndef EVY_CALLS_H
#define EVY_CALLS_H

#include "base/base.h"
#include "io/public.h"
#include "io/stdio.h"

struct fd;

/* Before descriptors in msg's control data go to another process: takes back what that must not see. */
void share_passed(const struct msghdr *msg);

/* Whether all that a hook reads of it can be read: else the kernel is to refuse it. */
bool msg_is_good(const struct msghdr *msg);

/* Who reads from a terminal in the background is stopped with its process, or told EIO, as the mask of the reader has it.
   Nothing is read. Returns 0 or -errno. */
long terminal_admits(const struct fd *s, int fd);

/* splice.c */
ssize_t evy_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t n, unsigned flags);
ssize_t evy_tee(int in, int out, size_t n, unsigned flags);
ssize_t evy_vmsplice(int fd, const struct iovec *iov, size_t count, unsigned flags);
ssize_t evy_preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags);
ssize_t evy_pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags);
int evy_eventfd_read(int fd, eventfd_t *value);
int evy_eventfd_write(int fd, eventfd_t value);

/* regular.c: only while the file subset is on */
ssize_t regular_readv(int fd, const struct iovec *iov, int count);
ssize_t regular_writev(int fd, const struct iovec *iov, int count);
ssize_t evy_pread(int fd, void *buf, size_t n, off_t offset);
ssize_t evy_pwrite(int fd, const void *buf, size_t n, off_t offset);
ssize_t evy_preadv(int fd, const struct iovec *iov, int count, off_t offset);
ssize_t evy_pwritev(int fd, const struct iovec *iov, int count, off_t offset);

/* open.c */
bool open_waits(int dir, const char *path, int flags); /* for a peer or a line */

/* close.c */
int evy_shutdown(int fd, int how);
int evy_close_range(unsigned first, unsigned last, int flags);
void evy_closefrom(int first);
int evy_closedir(DIR *d);
int evy_mq_close(mqd_t queue);

/* ipc.c: tried without waiting first; a kernel thread is given up only where the answer is to wait */
int record_lock_wait(int fd, int cmd, long arg); /* F_SETLKW, F_OFD_SETLKW */
ssize_t evy_msgrcv(int queue, void *message, size_t room, long type, int flags);
int evy_msgsnd(int queue, const void *message, size_t n, int flags);
int evy_semop(int set, struct sembuf *ops, size_t n);
int evy_semtimedop(int set, struct sembuf *ops, size_t n, const struct timespec *timeout);
ssize_t evy_getrandom(void *buf, size_t n, unsigned flags);
ssize_t evy_mq_receive(mqd_t queue, char *message, size_t room, unsigned *priority);
ssize_t evy_mq_timedreceive(mqd_t queue, char *message, size_t room, unsigned *priority,
                            const struct timespec *at);
int evy_mq_send(mqd_t queue, const char *message, size_t n, unsigned priority);
int evy_mq_timedsend(mqd_t queue, const char *message, size_t n, unsigned priority,
                     const struct timespec *at);

void evy___vsyslog_chk(int priority, int flag, const char *format, va_list ap);
void evy_vsyslog(int priority, const char *format, va_list ap);

/* sleep.c */
unsigned evy_sleep_seconds(unsigned seconds);
int evy_clock_nanosleep(clockid_t clock, int flags, const struct timespec *when,
                        struct timespec *left);

#endif
