// flags: -lresolv -lrt
// Proves: a handler may leave any blocked call by siglongjmp, as programs do with alarm() to limit it: the thread has the
// mask it had, waits again, and what it has left serves others: descriptors, queues, locks, children. Likewise a handler
// that ends its thread.
#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <resolv.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { TIMES = 5 };

static __thread sigjmp_buf out;
static int pipes[2], sockets[2], listener, poller, queue, semaphores, locked, mute, full[2];
static sem_t never, is_written, was_read;
static pid_t child;
static char fifo[64];
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t written = PTHREAD_RWLOCK_INITIALIZER;

static void leave(int sig)
{
    siglongjmp(out, sig);
}

static const char *const names[] = {
    "read",       "recv",     "accept",    "poll",          "select",      "epoll_wait",
    "nanosleep",  "pause",    "sem_wait",  "waitpid",       "msgrcv",      "semop",
    "flock",      "F_SETLKW", "open fifo", "write",         "getaddrinfo", "mutex",
    "sigsuspend", "wait",     "rwlock",    "sem_timedwait", "sigwait"};

static void wait_in(int call)
{
    char c, block[70000] = "";
    struct pollfd p = {.fd = sockets[0], .events = POLLIN};
    struct timespec t = {100, 0}, late;
    struct timeval tv = {100, 0};
    struct epoll_event e;
    struct sembuf down = {0, -1, 0};
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct addrinfo *info;
    struct {
        long type;
        char text[8];
    } m;
    fd_set set;
    sigset_t none;
    int sig;
    sigemptyset(&none);
    FD_ZERO(&set);
    FD_SET(sockets[0], &set);
    clock_gettime(CLOCK_REALTIME, &late);
    late.tv_sec += 100;
    switch (call) {
    case 0:
        (void)!read(pipes[0], &c, 1);
        break;
    case 1:
        recv(sockets[0], &c, 1, 0);
        break;
    case 2:
        accept(listener, NULL, NULL);
        break;
    case 3:
        poll(&p, 1, 100000);
        break;
    case 4:
        select(sockets[0] + 1, &set, NULL, NULL, &tv);
        break;
    case 5:
        epoll_wait(poller, &e, 1, 100000);
        break;
    case 6:
        nanosleep(&t, NULL);
        break;
    case 7:
        pause();
        break;
    case 8:
        sem_wait(&never);
        break;
    case 9:
        waitpid(child, NULL, 0);
        break;
    case 10:
        msgrcv(queue, &m, 8, 0, 0);
        break;
    case 11:
        semop(semaphores, &down, 1);
        break;
    case 12:
        flock(locked, LOCK_EX);
        break;
    case 13:
        fcntl(locked, F_SETLKW, &lock);
        break;
    case 14:
        open(fifo, O_RDONLY);
        break;
    case 15:
        for (;;)
            (void)!write(full[1], block, sizeof block);
    case 16:
        getaddrinfo("name.that.nobody.answers", "80", NULL, &info);
        break;
    case 17:
        pthread_mutex_lock(&held);
        break;
    case 18:
        sigsuspend(&none);
        break;
    case 19:
        wait(NULL);
        break;
    case 20:
        pthread_rwlock_rdlock(&written);
        break;
    case 21:
        sem_timedwait(&never, &late);
        break;
    default:
        sigemptyset(&none);
        sigaddset(&none, SIGUSR2);
        sigwait(&none, &sig);
        break;
    }
}

static void *kills(void *target)
{
    usleep(5000);
    pthread_kill(*(pthread_t *)target, SIGALRM);
    return NULL;
}

static void leave_call(int call, int by_alarm)
{
    sigset_t before = {0}, after = {0};
    pthread_t me = pthread_self();
    volatile pthread_t killer = 0;
    struct itimerval soon = {.it_value = {0, 5000}};
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    if (by_alarm)
        setitimer(ITIMER_REAL, &soon, NULL);
    else
        killer = spawn(kills, &me);
    if (sigsetjmp(out, 1) == 0) {
        wait_in(call);
        printf("%s came back, errno %d\n", names[call], errno);
        exit(1);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    if (!by_alarm)
        pthread_join(killer, NULL);
    CHECK(usleep(100) == 0);
}

static void *all(void *by_alarm)
{
    for (int call = 0; call < (int)(sizeof names / sizeof *names); call++) {
        for (volatile int i = 0; i < TIMES; i++)
            leave_call(call, by_alarm != NULL);
        printf("%s ", names[call]);
        fflush(stdout);
    }
    puts("");
    return NULL;
}

static void still_serve(void)
{
    char c = 'x', got = 0;
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    struct {
        long type;
        char text[8];
    } m = {1, "x"};
    struct sembuf up = {0, 1, 0}, down = {0, -1, 0};
    int status, fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(write(pipes[1], &c, 1) == 1 && read(pipes[0], &got, 1) == 1 && got == c);
    CHECK(send(sockets[1], &c, 1, 0) == 1 && recv(sockets[0], &got, 1, 0) == 1);
    CHECK(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
    CHECK(connect(fd, (struct sockaddr *)&at, len) == 0 &&
          (fd = accept(listener, NULL, NULL)) >= 0);
    CHECK(msgsnd(queue, &m, 8, 0) == 0 && msgrcv(queue, &m, 8, 0, 0) == 8);
    CHECK(semop(semaphores, &up, 1) == 0 && semop(semaphores, &down, 1) == 0);
    kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    CHECK(flock(locked, LOCK_EX) == 0);
    CHECK(sem_post(&never) == 0 && sem_wait(&never) == 0);
    CHECK(pthread_mutex_unlock(&held) == 0 && pthread_mutex_lock(&held) == 0);
    CHECK(sem_post(&was_read) == 0 && pthread_rwlock_rdlock(&written) == 0);
}

/* Calls that open something for their wait have closed it: here the program has no such descriptors of its own. */
static void nothing_is_left_open(void)
{
    DIR *d = opendir("/proc/self/fd");
    for (const struct dirent *e; (e = readdir(d));) {
        char what[64] = "";
        (void)!readlinkat(dirfd(d), e->d_name, what, sizeof what - 1);
        CHECK(strcmp(what, "anon_inode:[signalfd]") && strcmp(what, "anon_inode:[pidfd]"));
    }
    closedir(d);
}

/* Of a thread of its own: who has written may not wait to read. */
static void *writes(void *arg)
{
    CHECK(pthread_rwlock_wrlock(&written) == 0 && sem_post(&is_written) == 0);
    while (sem_wait(&was_read) != 0)
        ;
    CHECK(pthread_rwlock_unlock(&written) == 0);
    return arg;
}

static void end_thread(int sig)
{
    char stack[2000];
    memset(stack, sig, sizeof stack);
    pthread_exit(stack[0] == sig ? &held : NULL);
}

static void *waits(void *which)
{
    if (which)
        pthread_mutex_lock(&held);
    else
        pthread_rwlock_rdlock(&written);
    return NULL;
}

static void handlers_end_threads(void)
{
    struct sigaction act = {.sa_handler = end_thread};
    CHECK(sigaction(SIGUSR2, &act, NULL) == 0);
    for (int i = 0; i < 10; i++) {
        void *result;
        pthread_t t = spawn(waits, i % 2 ? &held : NULL);
        usleep(2000);
        CHECK(pthread_kill(t, SIGUSR2) == 0 && pthread_join(t, &result) == 0 && result == &held);
    }
}

/* Holds the locks that nobody gets, and lives until it is killed. */
static pid_t holder(const char *path)
{
    char c;
    int told[2];
    CHECK(pipe(told) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(path, O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (flock(fd, LOCK_EX) == 0 && fcntl(fd, F_SETLK, &lock) == 0)
            (void)!write(told[1], "x", 1);
        for (;;)
            sleep(100);
    }
    close(told[1]);
    CHECK(read(told[0], &c, 1) == 1);
    close(told[0]);
    return pid;
}

static void nobody_answers(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    mute = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(mute, (struct sockaddr *)&at, len) == 0 &&
          getsockname(mute, (struct sockaddr *)&at, &len) == 0);
    CHECK(res_init() == 0);
    _res.nscount = 1;
    _res.nsaddr_list[0] = at;
    _res.retrans = 100;
}

static void *in_thread(void *arg)
{
    sigset_t alrm;
    sigemptyset(&alrm);
    sigaddset(&alrm, SIGALRM);
    nobody_answers();
    pthread_sigmask(SIG_UNBLOCK, &alrm, NULL);
    return all(arg);
}

static void *counts(void *arg)
{
    for (;;) {
        usleep(1000);
        ++*(atomic_int *)arg;
    }
    return NULL;
}

int main(void)
{
    struct sigaction act = {.sa_handler = leave};
    struct epoll_event e = {.events = EPOLLIN};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static atomic_int ticks;
    char path[] = "/tmp/evy-leaves-XXXXXX";
    sigset_t alrm;
    int file = mkstemp(path);
    CHECK(file >= 0);
    child = holder(path);
    locked = open(path, O_RDWR);
    snprintf(fifo, sizeof fifo, "%s.fifo", path);
    CHECK(mkfifo(fifo, 0600) == 0 && pipe(pipes) == 0 && pipe(full) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 5) == 0);
    poller = epoll_create1(0);
    CHECK(epoll_ctl(poller, EPOLL_CTL_ADD, sockets[0], &e) == 0);
    queue = msgget(IPC_PRIVATE, 0600);
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    CHECK(sem_init(&never, 0, 0) == 0 && sigaction(SIGALRM, &act, NULL) == 0);
    CHECK(sem_init(&is_written, 0, 0) == 0 && sem_init(&was_read, 0, 0) == 0);
    CHECK(pthread_mutex_lock(&held) == 0);
    sigemptyset(&alrm);
    sigaddset(&alrm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alrm, NULL);
    spawn(counts, &ticks);
    spawn(writes, NULL);
    CHECK(sem_wait(&is_written) == 0);
    pthread_sigmask(SIG_UNBLOCK, &alrm, NULL);
    nobody_answers();
    all(&act);
    pthread_sigmask(SIG_BLOCK, &alrm, NULL);
    pthread_join(spawn(in_thread, NULL), NULL);
    pthread_join(spawn(in_thread, &act), NULL);
    int seen = ticks;
    while (ticks < seen + 3)
        usleep(1000);
    nothing_is_left_open();
    handlers_end_threads();
    still_serve();
    msgctl(queue, IPC_RMID, NULL);
    semctl(semaphores, 0, IPC_RMID);
    unlink(path);
    unlink(fifo);
    puts("ok");
    return 0;
}
