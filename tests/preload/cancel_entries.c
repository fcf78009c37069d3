// Proves: a request to cancel that waits acts in each cancellation point as it is called, also where there is nothing to
// wait for or the arguments are bad, and in no other call: POSIX's list, Linux's calls besides, and others that
// wait or do much in libc.
#define _GNU_SOURCE
#include "check.h"

#include <aio.h>
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>

static int sock[2], file, messages, sems;
static mqd_t queue;
static sem_t full;
static char b[64];
static struct iovec v = {b, 1};
static struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
static FILE *stream;
static struct timespec past;
static struct flock record = {.l_type = F_WRLCK};
static sigset_t usr1;
static pthread_t other;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;

static void nothing(void) {}

static void unlock(void *arg)
{
    CHECK(pthread_mutex_unlock(arg) == 0);
}

static int cond_wait(void)
{
    int r;
    CHECK(pthread_mutex_lock(&lock) == 0);
    pthread_cleanup_push(unlock, &lock);
    r = pthread_cond_timedwait(&cond, &lock, &past);
    pthread_cleanup_pop(1);
    return r;
}

static int make_pipe(void)
{
    int p[2];
    return pipe(p) || close(p[0]) || close(p[1]);
}

static int look_up(void)
{
    struct addrinfo *a = NULL, hints = {.ai_flags = AI_NUMERICHOST};
    int r = getaddrinfo("127.0.0.1", "80", &hints, &a);
    if (r == 0)
        freeaddrinfo(a);
    return r;
}

static int list_directory(void)
{
    DIR *d = opendir("/");
    return d ? (readdir(d), closedir(d)) : -1;
}

static int make_child(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0;
}

static int run_child(void)
{
    pid_t pid;
    char *args[] = {"true", NULL};
    return posix_spawnp(&pid, "true", NULL, NULL, args, environ);
}

static int run_piped(void)
{
    FILE *f = popen(":", "r");
    return f ? pclose(f) : -1;
}

static int use_stream(void)
{
    FILE *f = fopen("/dev/null", "r");
    return f ? fgetc(f) + fclose(f) : -1;
}

static int take_signal(void)
{
    int sig;
    return pthread_kill(pthread_self(), SIGUSR1) || sigwait(&usr1, &sig);
}

static int take_info(void)
{
    return pthread_kill(pthread_self(), SIGUSR1) || sigwaitinfo(&usr1, NULL) < 0;
}

static int use_key(void)
{
    pthread_key_t key;
    return pthread_key_create(&key, NULL) || pthread_key_delete(key);
}

static int use_locks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_mutex_lock(&lock) || pthread_mutex_unlock(&lock) ||
           pthread_rwlock_wrlock(&rwlock) || pthread_rwlock_unlock(&rwlock) ||
           pthread_once(&once, nothing) || sem_trywait(&full) || sem_post(&full) ||
           pthread_barrier_wait(&barrier);
}

static int join_in_vain(void)
{
    return pthread_tryjoin_np(other, NULL);
}

#define CALLS(X)                                                                                   \
    X(accept(sock[0], NULL, NULL))                                                                 \
    X(accept4(sock[0], NULL, NULL, 0))                                                             \
    X(clock_nanosleep(CLOCK_REALTIME, 0, &past, NULL))                                             \
    X(close(-1))                                                                                   \
    X(connect(sock[0], NULL, 0))                                                                   \
    X(creat("/dev/null/no", 0600))                                                                 \
    X(fcntl(file, F_SETLKW, &record))                                                              \
    X(fcntl(file, F_SETLK, &record))                                                               \
    X(fcntl(file, F_GETFL))                                                                        \
    X(fdatasync(file))                                                                             \
    X(fsync(file))                                                                                 \
    X(syncfs(file))                                                                                \
    X(sync_file_range(file, 0, 0, 0))                                                              \
    X(lockf(file, F_LOCK, 1))                                                                      \
    X(lockf(file, F_TLOCK, 1))                                                                     \
    X(lockf(file, F_ULOCK, 1))                                                                     \
    X(flock(file, LOCK_SH))                                                                        \
    X(mq_receive(queue, b, 1, NULL))                                                               \
    X(mq_timedreceive(queue, b, 1, NULL, &past))                                                   \
    X(mq_send(queue, b, 8, 0))                                                                     \
    X(mq_timedsend(queue, b, 8, 0, &past))                                                         \
    X(msgrcv(messages, b, 1, 0, IPC_NOWAIT))                                                       \
    X(msgsnd(messages, b, 1, IPC_NOWAIT))                                                          \
    X(semop(sems, &(struct sembuf){0, 1, 0}, 1))                                                   \
    X(msync(NULL, 0, 0))                                                                           \
    X(nanosleep(&past, NULL))                                                                      \
    X(sleep(0))                                                                                    \
    X(usleep(0))                                                                                   \
    X(thrd_sleep(&past, NULL))                                                                     \
    X(open("/dev/null/no", O_RDONLY))                                                              \
    X(openat(AT_FDCWD, "/dev/null/no", O_RDONLY))                                                  \
    X(poll(NULL, 0, 0))                                                                            \
    X(ppoll(NULL, 0, &past, NULL))                                                                 \
    X(select(0, NULL, NULL, NULL, &(struct timeval){0, 0}))                                        \
    X(pselect(0, NULL, NULL, NULL, &past, NULL))                                                   \
    X(epoll_wait(-1, (struct epoll_event *)b, 1, 0))                                               \
    X(epoll_pwait(-1, (struct epoll_event *)b, 1, 0, NULL))                                        \
    X(read(file, b, 1))                                                                            \
    X(readv(file, &v, 1))                                                                          \
    X(pread(file, b, 1, 0))                                                                        \
    X(preadv(file, &v, 1, 0))                                                                      \
    X(preadv2(file, &v, 1, 0, 0))                                                                  \
    X(write(file, b, 1))                                                                           \
    X(writev(file, &v, 1))                                                                         \
    X(pwrite(file, b, 1, 0))                                                                       \
    X(pwritev(file, &v, 1, 0))                                                                     \
    X(pwritev2(file, &v, 1, 0, 0))                                                                 \
    X(recv(sock[0], b, 1, MSG_DONTWAIT))                                                           \
    X(recvfrom(sock[0], b, 1, MSG_DONTWAIT, NULL, NULL))                                           \
    X(recvmsg(sock[0], &m, MSG_DONTWAIT))                                                          \
    X(recvmmsg(sock[0], (struct mmsghdr *)b, 0, MSG_DONTWAIT, NULL))                               \
    X(send(sock[0], b, 1, MSG_DONTWAIT))                                                           \
    X(sendto(sock[0], b, 1, MSG_DONTWAIT, NULL, 0))                                                \
    X(sendmsg(sock[0], &m, MSG_DONTWAIT))                                                          \
    X(sendmmsg(sock[0], (struct mmsghdr *)b, 0, 0))                                                \
    X(splice(-1, NULL, -1, NULL, 1, 0))                                                            \
    X(tee(-1, -1, 1, 0))                                                                           \
    X(vmsplice(-1, NULL, 0, 0))                                                                    \
    X(eventfd_read(-1, (eventfd_t *)b))                                                            \
    X(fallocate(file, 0, 0, 1))                                                                    \
    X(posix_fallocate(file, 0, 1))                                                                 \
    X(ioctl(file, FIONREAD, b))                                                                    \
    X(tcdrain(file))                                                                               \
    X(tcflush(file, TCIFLUSH))                                                                     \
    X(getrandom(b, 1, 0))                                                                          \
    X(dup2(file, file))                                                                            \
    X(lseek(file, 0, SEEK_SET))                                                                    \
    X(stat("/", &(struct stat){0}))                                                                \
    X(unlink("/dev/null/no"))                                                                      \
    X(cond_wait())                                                                                 \
    X((pthread_testcancel(), 0))                                                                   \
    X(sem_wait(&full))                                                                             \
    X(sem_timedwait(&full, &past))                                                                 \
    X(sem_clockwait(&full, CLOCK_MONOTONIC, &past))                                                \
    X(sigtimedwait(&usr1, NULL, &past))                                                            \
    X(take_signal())                                                                               \
    X(take_info())                                                                                 \
    X(sched_yield())                                                                               \
    X(join_in_vain())                                                                              \
    X(use_locks())                                                                                 \
    X(use_key())                                                                                   \
    X(system(":"))                                                                                 \
    X(wait(NULL))                                                                                  \
    X(waitpid(-1, NULL, WNOHANG))                                                                  \
    X(waitid(P_ALL, 0, NULL, WEXITED | WNOHANG))                                                   \
    X(make_pipe())                                                                                 \
    X(make_child())                                                                                \
    X(run_child())                                                                                 \
    X(run_piped())                                                                                 \
    X(look_up())                                                                                   \
    X((getpwnam("root"), 0))                                                                       \
    X(list_directory())                                                                            \
    X(use_stream())                                                                                \
    X(fwrite("a", 1, 1, stream))                                                                   \
    X(fprintf(stream, "a"))                                                                        \
    X(fflush(stream))

enum { FIRST = __COUNTER__ + 1 };

static void call(int which)
{
    switch (which) {
#define X(call)                                                                                    \
    case __COUNTER__ - FIRST:                                                                      \
        (void)!(call);                                                                             \
        break;
        CALLS(X)
#undef X
    default:
        break;
    }
}

static const char *const names[] = {
#define X(call) #call,
    CALLS(X)
#undef X
};

static void *body(void *which)
{
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
    CHECK(pthread_cancel(pthread_self()) == 0);
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL) == 0);
    call((int)(long)which);
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
    return NULL;
}

static void *waits(void *arg)
{
    pause();
    return arg;
}

static void prepare(void)
{
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    char name[64], path[] = "/tmp/evy-entries-XXXXXX";
    snprintf(name, sizeof name, "/evy-entries-%d", (int)getpid());
    CHECK((queue = mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attr)) >= 0);
    CHECK(mq_unlink(name) == 0);
    CHECK((file = mkstemp(path)) >= 0 && unlink(path) == 0 && write(file, b, sizeof b) > 0);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sock) == 0);
    CHECK((messages = msgget(IPC_PRIVATE, 0600)) >= 0);
    CHECK((sems = semget(IPC_PRIVATE, 1, 0600)) >= 0);
    CHECK(sem_init(&full, 0, 1000) == 0 && pthread_barrier_init(&barrier, NULL, 1) == 0);
    CHECK((stream = fopen("/dev/null", "w")) != NULL);
    b[0] = 1; // a message's type
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
    other = spawn(waits, NULL);
}

int main(void)
{
    prepare();
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        void *result;
        pthread_t t = spawn(body, (void *)(long)i);
        CHECK(pthread_join(t, &result) == 0);
        printf("%s: %s\n", names[i], result == PTHREAD_CANCELED ? "cancelled" : "-");
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    CHECK(msgctl(messages, IPC_RMID, NULL) == 0 && semctl(sems, 0, IPC_RMID) == 0);
    return 0;
}
