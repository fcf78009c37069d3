// Proves: a thread that has been cancelled ends in each of these calls before they do anything, also where they would
// not wait: on files that libc has opened itself, on pipes with data in them and on bad descriptors.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

static int file, pipes[2], pair[2];
static char data[16] = "abcdefghijklmno";
static struct iovec iov = {data, 8};
static char *map;
static struct timespec zero;
static struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
static struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
static sem_t sem;
static struct epoll_event event;
static sigset_t set;
static int cleaned;

// It does not come to rest on a list of calls:
// clang-format off
#define CALLS(X)                                                                                   \
    X(read(file, data, 8))                                                                         \
    X(read(pipes[0], data, 1))                                                                     \
    X(read(-1, data, 1))                                                                           \
    X(readv(file, &iov, 1))                                                                        \
    X(readv(pipes[0], &iov, 1))                                                                    \
    X(readv(file, &iov, 0))                                                                        \
    X(write(file, data, 8))                                                                        \
    X(write(pipes[1], data, 8))                                                                    \
    X(writev(file, &iov, 1))                                                                       \
    X(writev(pipes[1], &iov, 1))                                                                   \
    X(writev(-1, &iov, 1))                                                                         \
    X(pread(file, data, 8, 0))                                                                     \
    X(pread64(file, data, 8, 0))                                                                   \
    X(pwrite(file, data, 8, 0))                                                                    \
    X(pwrite64(file, data, 8, 0))                                                                  \
    X(preadv(file, &iov, 1, 0))                                                                    \
    X(preadv64(file, &iov, 1, 0))                                                                  \
    X(pwritev(file, &iov, 1, 0))                                                                   \
    X(pwritev64(file, &iov, 1, 0))                                                                 \
    X(preadv2(file, &iov, 1, -1, 0))                                                               \
    X(preadv2(file, &iov, 1, 0, 0))                                                                \
    X(pwritev2(file, &iov, 1, -1, 0))                                                              \
    X(pwritev2(file, &iov, 1, 0, 0))                                                               \
    X(open("/dev/null", O_RDONLY))                                                                 \
    X(openat(AT_FDCWD, "/dev/null", O_RDONLY))                                                     \
    X(creat("/nowhere/at/all", 0600))                                                              \
    X(close(file))                                                                                 \
    X(fsync(file))                                                                                 \
    X(fdatasync(file))                                                                             \
    X(msync(map, 4096, MS_SYNC))                                                                   \
    X(tcdrain(file))                                                                               \
    X(lockf(file, F_LOCK, 1))                                                                      \
    X(send(pair[0], data, 1, 0))                                                                   \
    X(sendto(pair[0], data, 1, 0, NULL, 0))                                                        \
    X(recv(pair[0], data, 1, MSG_DONTWAIT))                                                        \
    X(recvfrom(file, data, 1, 0, NULL, NULL))                                                      \
    X(accept(file, NULL, NULL))                                                                    \
    X(connect(file, NULL, 0))                                                                      \
    X(msgrcv(-1, data, 1, 0, 0))                                                                   \
    X(msgsnd(-1, data, 1, 0))                                                                      \
    X(select(0, NULL, NULL, NULL, &(struct timeval){0, 0}))                                        \
    X(wait(NULL))                                                                                  \
    X(waitpid(-1, NULL, WNOHANG))                                                                  \
    X(sleep(0))                                                                                    \
    X(usleep(0))                                                                                   \
    X(poll(NULL, 0, 0))                                                                            \
    X(ppoll(NULL, 0, &zero, NULL))                                                                 \
    X(pselect(0, NULL, NULL, NULL, &zero, NULL))                                                   \
    X(epoll_wait(-1, &event, 1, 0))                                                                \
    X(epoll_pwait(-1, &event, 1, 0, NULL))                                                         \
    X(waitid(P_ALL, 0, NULL, WEXITED | WNOHANG))                                                   \
    X(wait3(NULL, WNOHANG, NULL))                                                                  \
    X(wait4(-1, NULL, WNOHANG, NULL))                                                              \
    X(epoll_pwait2(-1, &event, 1, &zero, NULL))                                                    \
    X(nanosleep(&zero, NULL)) X(clock_nanosleep(CLOCK_MONOTONIC, 0, &zero, NULL))                  \
        X(sem_wait(&sem)) X(sem_timedwait(&sem, &zero))                                            \
            X(sem_clockwait(&sem, CLOCK_MONOTONIC, &zero)) X(sigtimedwait(&set, NULL, &zero))      \
                X(sigwaitinfo(&set, NULL)) X(mq_receive(-1, data, 1, NULL))                        \
                    X(mq_send(-1, data, 1, 0)) X(mq_timedreceive(-1, data, 1, NULL, &zero))        \
                        X(mq_timedsend(-1, data, 1, 0, &zero)) X(sendmsg(pair[0], &msg, 0)) X(     \
                            recvmsg(pair[0], &msg, MSG_DONTWAIT)) X(accept4(file, NULL, NULL, 0))  \
                            X(splice(pipes[0], NULL, pipes[1], NULL, 1, SPLICE_F_NONBLOCK)) X(     \
                                tee(pipes[0], pipes[1], 1, SPLICE_F_NONBLOCK))                     \
                                X(vmsplice(pipes[1], &iov, 1, 0)) X(fcntl(file, F_SETLKW, &lock))  \
                                    X(sync_file_range(file, 0, 0, 0)) X(fallocate(file, 0, 0, 16)) \
                                        X(fallocate64(file, 0, 0, 16))                             \
                                            X(openat64(AT_FDCWD, "/dev/null", O_RDONLY))           \
                                                X(open64("/dev/null", O_RDONLY)) X(system(":"))    \
                                                    X(sigsuspend(&set)) X(pause())
// clang-format on

#define NAME(call) #call,
static const char *const names[] = {CALLS(NAME)};
enum { KINDS = sizeof names / sizeof *names };

static void make(int wanted)
{
    int kind = 0;
#define MAKE(call)                                                                                 \
    if (kind++ == wanted)                                                                          \
        (void)!call;
    CALLS(MAKE)
}

static void clean(void *arg)
{
    (void)arg;
    cleaned++;
}

static void *body(void *kind)
{
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
    CHECK(pthread_cancel(pthread_self()) == 0);
    CHECK(read(-1, data, 1) == -1 && errno == EBADF);
    CHECK(pread(file, data, 1, 0) == 1);
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL) == 0);
    pthread_cleanup_push(clean, NULL);
    make((int)(intptr_t)kind);
    pthread_cleanup_pop(0);
    return NULL;
}

static void open_all(void)
{
    FILE *f = tmpfile();
    CHECK(f != NULL && (file = fileno(f)) >= 0);
    CHECK(pwrite(file, data, sizeof data, 0) == sizeof data);
    CHECK(pipe(pipes) == 0 && write(pipes[1], data, 8) == 8);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[1], data, 8) == 8);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sem_init(&sem, 0, 1) == 0);
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(map != MAP_FAILED);
}

int main(void)
{
    open_all();
    for (intptr_t kind = 0; kind < KINDS; kind++) {
        void *result = NULL;
        CHECK(pthread_join(spawn(body, (void *)kind), &result) == 0);
        printf("%s: %s\n", names[kind], result == PTHREAD_CANCELED ? "cancelled" : "returned");
    }
    CHECK(lseek(file, 0, SEEK_CUR) == 0 && read(pipes[0], data, 16) == 8);
    printf("%d cleaned up\n", cleaned);
    return 0;
}
