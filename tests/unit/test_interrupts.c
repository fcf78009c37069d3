/* A kill and a timeout end every call that waits, those of the API and those of libc, once; and what was waited for is as
   it was. */
#include "evy_case.h"

#include "io/calls.h"
#include "sync/sync.h"

#include <evy/backdoor.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* No call answers it by itself. */
#define OURS EUCLEAN

/* What the calls wait for. */
static int quiet[2];  /* a socket that nobody writes to, [1]: that takes no more */
static int datagrams; /* one that takes no more */
static int tube[2];   /* a pipe, likewise: [0] is quiet, [1] full */
static int full[2];   /* and a full one to write to */
static int server, crowded;
static int watcher; /* epoll */
static struct sockaddr_un crowded_address;
static char bytes[65536];
static pid_t child;
static evy_gt *sleeper;
static evy_event *event;
static evy_sem *sem;
static evy_capsem *empty_capsem, *full_capsem;
static evy_lock *lock;
static evy_rlock *rlock;
static evy_wg *wg;
static evy_queue *empty, *filled, *channel, *unfinished;
static evy_pool *pool;
static evy_pile *pile;
static evy_map *map;
static evy_respool *resources;
static evy_connpool *connections;
static evy_dag *dag;
static FILE *stream;
static sem_t libc_sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_t thread;

static void *sleep_long(void *arg)
{
    evy_sleep(EVY_FOREVER);
    return arg;
}

static void *sleep_in_dag(evy_dag_results *in, void *arg)
{
    (void)in;
    return sleep_long(arg);
}

static void *hold_rlock(void *arg)
{
    evy_rlock_acquire(rlock, EVY_FOREVER);
    return sleep_long(arg);
}

static void *block_long(void *arg)
{
    usleep(100000);
    return arg;
}

static void *make_one(void *arg)
{
    return arg;
}

static void drop_one(void *item, void *arg)
{
    (void)item, (void)arg;
}

static int serve_none(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    (void)fd, (void)addr, (void)len, (void)arg;
    return 0;
}

static int next_never(void *arg, void **item)
{
    (void)item;
    (void)arg;
    errno = evy_sleep(EVY_FOREVER) ? ENOENT : 0;
    return -1;
}

static void fill_up(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    for (ssize_t n = sizeof bytes; n > 0; n /= 2)
        while (write(fd, bytes, (size_t)n) > 0)
            ;
    fcntl(fd, F_SETFL, flags);
}

static void make_descriptors(void)
{
    struct epoll_event ev = {.events = EPOLLIN};
    int pair[2];
    crowded_address.sun_family = AF_UNIX;
    snprintf(crowded_address.sun_path + 1, 90, "evy-crowded-%d", getpid());
    server = evy_listen("127.0.0.1", 0, 0, 0);
    crowded = evy_listen_addr((struct sockaddr *)&crowded_address, sizeof crowded_address, 1, 0);
    for (int fd; (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0;)
        if (connect(fd, (struct sockaddr *)&crowded_address, sizeof crowded_address))
            break;
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, quiet), 0);
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    ck_assert_int_eq(evy_pipe(tube), 0);
    ck_assert_int_eq(evy_pipe(full), 0);
    datagrams = pair[0];
    fill_up(quiet[0]);
    fill_up(datagrams);
    fill_up(full[1]);
    watcher = epoll_create1(0);
    ck_assert_int_eq(epoll_ctl(watcher, EPOLL_CTL_ADD, tube[0], &ev), 0);
    stream = evy_fdopen(evy_dup(tube[0]), "r");
    child = fork();
    if (child == 0) {
        pause(); /* and ends with the test */
        _exit(0);
    }
}

static void make_objects(void)
{
    evy_connpool_conf conf = {0,        1,        EVY_FOREVER, EVY_FOREVER, EVY_FOREVER,
                              make_one, drop_one, NULL,        bytes};
    sleeper = evy_spawn(hold_rlock, NULL);
    event = evy_event_new();
    sem = evy_sem_new(0);
    empty_capsem = evy_capsem_new(0, 1);
    full_capsem = evy_capsem_new(1, 1);
    lock = evy_lock_new();
    rlock = evy_rlock_new();
    wg = evy_wg_new();
    empty = evy_queue_new(1, EVY_Q_FIFO);
    filled = evy_queue_new(1, EVY_Q_FIFO);
    channel = evy_queue_new(0, EVY_Q_FIFO);
    unfinished = evy_queue_new(-1, EVY_Q_FIFO);
    pool = evy_pool_new(1);
    pile = evy_pile_on(pool);
    map = evy_pool_map(pool, sleep_long, next_never, NULL);
    resources = evy_respool_new(0, 0, 0, make_one, NULL, bytes);
    connections = evy_connpool_new(&conf);
    dag = evy_dag_new();
    sem_init(&libc_sem, 0, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    ck_assert_int_eq(evy_pthread_create(&thread, NULL, sleep_long, NULL), 0);
    evy_lock_acquire(lock, 0);
    evy_wg_add(wg, 1);
    evy_queue_put(filled, NULL, 0);
    evy_queue_put(unfinished, NULL, 0);
    ck_assert_int_eq(evy_pile_spawn(pile, sleep_long, NULL), 0);
    ck_assert_ptr_nonnull(evy_connpool_get(connections, 0));
    ck_assert_int_eq(evy_dag_spawn(dag, "a", NULL, 0, sleep_in_dag, NULL), 0);
    evy_sleep(0);
}

/* That everything is as before is what the objects themselves say as they are freed. */
static void drop_world(void)
{
    int status;
    fclose(stream);
    for (int fd = 3; fd < 200; fd++)
        evy_close(fd);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    ck_assert_int_eq(evy_pool_waiting(pool), 0);
    ck_assert_int_eq(evy_sem_balance(sem), 0);
    ck_assert_int_eq(evy_capsem_balance(empty_capsem), -1);
    ck_assert_int_eq(evy_capsem_balance(full_capsem), 1);
    ck_assert_int_eq(
        evy_queue_getting(empty) + evy_queue_putting(filled) + evy_queue_putting(channel), 0);
    ck_assert_int_eq(evy_respool_free(resources), 0);
    ck_assert_int_eq(evy_connpool_waiting(connections), 0);
    ck_assert_int_eq(evy_connpool_put(connections, bytes), 0);
    ck_assert_int_eq(evy_connpool_free(connections), 0);
    ck_assert_int_eq(evy_dag_kill(dag, "a"), 0);
    ck_assert_int_eq(evy_dag_free(dag), 0);
    evy_map_free(map);
    evy_pile_free(pile);
    ck_assert_int_eq(evy_pool_killall(pool, 0), 0);
    ck_assert_int_eq(evy_pool_waitall(pool), 0);
    ck_assert_int_eq(evy_pool_free(pool), 0);
    ck_assert_int_eq(evy_kill(sleeper, 0), 0);
    evy_gt_unref(sleeper);
    ck_assert_int_eq(evy_blocking_finish(5), 0);
}

static int or_null(const void *result)
{
    return result ? 0 : -1;
}

/* Of calls that return an errno. */
static int or_error(int err)
{
    errno = err;
    return err ? -1 : 0;
}

static int read_map(void)
{
    return evy_map_next(map, NULL);
}

static int next_of_dag(void)
{
    static const char *const keys[] = {"a"};
    evy_dag_results *in = evy_dag_each(dag, keys, 1);
    int r = evy_dag_next(in, NULL, NULL), saved = errno;
    evy_dag_each_free(in);
    errno = saved;
    return r;
}

static int wait_in_cond(void)
{
    pthread_mutex_lock(&mutex);
    int err = evy_pthread_cond_wait(&cond, &mutex);
    pthread_mutex_unlock(&mutex);
    return or_error(err);
}

static int cede_on(void)
{
    int r;
    while ((r = evy_cede()) == 0)
        ;
    return r;
}

static int read_line(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n = evy_readuntil(stream, "\n", &line, &size);
    int saved = errno;
    free(line);
    errno = saved;
    return (int)n;
}

static const struct timespec long_time = {100, 0};
static struct timespec left;
static struct iovec iov = {bytes, sizeof bytes};
static struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
static struct mmsghdr mmsg = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};
static struct pollfd one_fd;
static struct epoll_event found;
static fd_set set;
static int status;

static fd_set *set_of(int fd)
{
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return &set;
}

static struct pollfd *poll_of(int fd)
{
    one_fd = (struct pollfd){fd, POLLIN, 0};
    return &one_fd;
}

static int connect_to_crowd(void)
{
    int fd = evy_socket(AF_UNIX, SOCK_STREAM, 0);
    return evy_connect(fd, (struct sockaddr *)&crowded_address, sizeof crowded_address);
}

static int sendfile_to_full(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    return (int)evy_sendfile(quiet[0], fd, NULL, 1000);
}

/* Name and call: what it waits for never comes. */
#define CALLS(X)                                                                                   \
    X(sleep, evy_sleep(EVY_FOREVER))                                                               \
    X(cede, cede_on())                                                                             \
    X(gt_wait, evy_gt_wait(sleeper, NULL))                                                         \
    X(gt_wait_timeout, evy_gt_wait_timeout(sleeper, NULL, 100))                                    \
    X(waitall, evy_waitall(&sleeper, 1, NULL))                                                     \
    X(event_wait, evy_event_wait(event, NULL, EVY_FOREVER))                                        \
    X(event_wait_long, evy_event_wait(event, NULL, 100))                                           \
    X(sem_acquire, evy_sem_acquire(sem, EVY_FOREVER))                                              \
    X(capsem_acquire, evy_capsem_acquire(empty_capsem, EVY_FOREVER))                               \
    X(capsem_release, evy_capsem_release(full_capsem, EVY_FOREVER))                                \
    X(lock_acquire, evy_lock_acquire(lock, EVY_FOREVER))                                           \
    X(rlock_acquire, evy_rlock_acquire(rlock, EVY_FOREVER))                                        \
    X(wg_wait, evy_wg_wait(wg, EVY_FOREVER))                                                       \
    X(queue_put, evy_queue_put(filled, NULL, EVY_FOREVER))                                         \
    X(channel_put, evy_queue_put(channel, NULL, EVY_FOREVER))                                      \
    X(queue_get, evy_queue_get(empty, NULL, EVY_FOREVER))                                          \
    X(channel_get, evy_queue_get(channel, NULL, 100))                                              \
    X(queue_join, evy_queue_join(unfinished, EVY_FOREVER))                                         \
    X(pool_spawn, or_null(evy_pool_spawn(pool, sleep_long, NULL)))                                 \
    X(pool_spawn_n, evy_pool_spawn_n(pool, sleep_long, NULL))                                      \
    X(pool_waitall, evy_pool_waitall(pool))                                                        \
    X(pile_spawn, evy_pile_spawn(pile, sleep_long, NULL))                                          \
    X(pile_next, evy_pile_next(pile, NULL))                                                        \
    X(map_next, read_map())                                                                        \
    X(respool_get, or_null(evy_respool_get(resources, EVY_FOREVER)))                               \
    X(connpool_get, or_null(evy_connpool_get(connections, EVY_FOREVER)))                           \
    X(dag_next, next_of_dag())                                                                     \
    X(dag_wait, evy_dag_wait(dag, "b", NULL, EVY_FOREVER))                                         \
    X(dag_waitall, evy_dag_waitall(dag))                                                           \
    X(blocking, evy_blocking(block_long, NULL, NULL))                                              \
    X(serve, evy_serve(server, serve_none, NULL, 0))                                               \
    X(backdoor, evy_backdoor_server(server))                                                       \
    X(sendall, evy_sendall(quiet[0], bytes, sizeof bytes))                                         \
    X(sendall_to_pipe, evy_sendall(full[1], bytes, sizeof bytes))                                  \
    X(trampoline, evy_trampoline(quiet[0], EVY_READ, EVY_FOREVER))                                 \
    X(wait_read, evy_wait_read(tube[0], 100))                                                      \
    X(wait_write, evy_wait_write(full[1], EVY_FOREVER))                                            \
    X(readuntil, read_line())                                                                      \
    X(connect_addr,                                                                                \
      evy_connect_addr((struct sockaddr *)&crowded_address, sizeof crowded_address, NULL, 0))      \
    X(accept, evy_accept(server, NULL, NULL))                                                      \
    X(accept4, evy_accept4(server, NULL, NULL, SOCK_CLOEXEC))                                      \
    X(connect, connect_to_crowd())                                                                 \
    X(recv, evy_recv(quiet[0], bytes, 1, 0))                                                       \
    X(recvfrom, evy_recvfrom(quiet[0], bytes, 1, 0, NULL, NULL))                                   \
    X(recvmsg, evy_recvmsg(quiet[0], &msg, 0))                                                     \
    X(recvmmsg, evy_recvmmsg(datagrams, &mmsg, 1, 0, NULL))                                        \
    X(send, evy_send(quiet[0], bytes, sizeof bytes, 0))                                            \
    X(sendto, evy_sendto(quiet[0], bytes, sizeof bytes, 0, NULL, 0))                               \
    X(sendmsg, evy_sendmsg(quiet[0], &msg, 0))                                                     \
    X(sendmmsg, evy_sendmmsg(datagrams, &mmsg, 1, 0))                                              \
    X(sendfile, sendfile_to_full())                                                                \
    X(read, evy_read(tube[0], bytes, 1))                                                           \
    X(write, evy_write(full[1], bytes, 1))                                                         \
    X(readv, evy_readv(tube[0], &iov, 1))                                                          \
    X(writev, evy_writev(full[1], &iov, 1))                                                        \
    X(poll, evy_poll(poll_of(tube[0]), 1, -1))                                                     \
    X(poll_nothing, evy_poll(NULL, 0, -1))                                                         \
    X(ppoll, evy_ppoll(poll_of(tube[0]), 1, &long_time, NULL))                                     \
    X(select, evy_select(tube[0] + 1, set_of(tube[0]), NULL, NULL, NULL))                          \
    X(pselect, evy_pselect(tube[0] + 1, set_of(tube[0]), NULL, NULL, &long_time, NULL))            \
    X(epoll_wait, evy_epoll_wait(watcher, &found, 1, -1))                                          \
    X(epoll_pwait, evy_epoll_pwait(watcher, &found, 1, 100000, NULL))                              \
    X(epoll_pwait2, evy_epoll_pwait2(watcher, &found, 1, &long_time, NULL))                        \
    X(usleep, evy_usleep(100000000))                                                               \
    X(nanosleep, evy_nanosleep(&long_time, &left))                                                 \
    X(wait, evy_wait(&status))                                                                     \
    X(waitpid, evy_waitpid(child, &status, 0))                                                     \
    X(wait4, evy_wait4(child, &status, 0, NULL))                                                   \
    X(system, evy_system("sleep 0.1"))                                                             \
    X(libc_sem_wait, evy_sem_wait(&libc_sem))                                                      \
    X(cond_wait, wait_in_cond())                                                                   \
    X(pthread_join, or_error(evy_pthread_join(thread, NULL)))

#define X(name, call)                                                                              \
    static long call_##name(void)                                                                  \
    {                                                                                              \
        return call;                                                                               \
    }
CALLS(X)
#undef X

static const struct {
    const char *name;
    long (*call)(void);
} calls[] = {
#define X(name, call) {#name, call_##name},
    CALLS(X)
#undef X
};

static int ended;

static void *call_until_killed(void *arg)
{
    int i = *(int *)arg;
    errno = 0;
    long r = calls[i].call();
    ck_assert_msg(r == -1 && errno == OURS, "%s: %ld, %s", calls[i].name, r, strerror(errno));
    ck_assert_int_eq(evy_sleep(0), 0); /* once */
    ended = 1;
    return NULL;
}

START_TEST(a_kill_ends_it)
{
    make_descriptors();
    make_objects();
    evy_gt *g = evy_spawn(call_until_killed, &_i);
    while (!evy_gt_started(g))
        evy_sleep(0.001);
    evy_sleep(0.002);
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(evy_kill(g, OURS), 0);
    ck_assert_msg(evy_gt_wait_timeout(g, NULL, 5) == 0, "%s: %s", calls[_i].name, strerror(errno));
    evy_gt_unref(g);
    drop_world();
}
END_TEST

START_TEST(a_timeout_ends_it)
{
    evy_timeout t = EVY_TIMEOUT_INIT;
    make_descriptors();
    make_objects();
    ck_assert_int_eq(evy_timeout_start(&t, 0.002, OURS), 0);
    errno = 0;
    long r = calls[_i].call();
    ck_assert_msg(r == -1 && errno == OURS, "%s: %ld, %s", calls[_i].name, r, strerror(errno));
    ck_assert_int_eq(evy_timeout_cancel(&t), 1);
    ck_assert_int_eq(evy_sleep(0), 0);
    drop_world();
}
END_TEST

static int called, called_errno;

static void call_in_hub(void *arg)
{
    errno = 0;
    called = (int)calls[*(int *)arg].call();
    called_errno = errno;
    ended = 1;
}

START_TEST(a_callback_of_the_hub_is_refused)
{
    make_descriptors();
    make_objects();
    evy_timer *t = evy_hub_call_global(0, call_in_hub, &_i);
    while (!ended)
        evy_sleep(0.001);
    ck_assert_msg(called == -1 && called_errno == EDEADLK, "%s: %d, %s", calls[_i].name, called,
                  strerror(called_errno));
    evy_timer_free(t);
    drop_world();
}
END_TEST

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int locked[2];

static long lock_mutex(void)
{
    return or_error(evy_pthread_mutex_lock(&mutex)) || or_error(evy_pthread_mutex_unlock(&mutex));
}

static void unlock_mutex(void)
{
    evy_pthread_mutex_unlock(&mutex);
}

static long lock_rwlock(void)
{
    return or_error(evy_pthread_rwlock_rdlock(&rwlock)) ||
           or_error(evy_pthread_rwlock_unlock(&rwlock));
}

static void unlock_rwlock(void)
{
    evy_pthread_rwlock_unlock(&rwlock);
}

static long reach_barrier(void)
{
    return evy_pthread_barrier_wait(&barrier) > 0;
}

static void pass_barrier(void)
{
    evy_pthread_barrier_wait(&barrier);
}

static long lock_file(void)
{
    return evy_flock(locked[1], LOCK_EX);
}

static void unlock_file(void)
{
    flock(locked[0], LOCK_UN);
}

/* Calls that have no answer for it, or that another kernel thread makes, go on to their end; the next wait is ended. */
static const struct {
    const char *name;
    long (*call)(void); /* returns 0 */
    void (*release)(void);
} later[] = {{"mutex", lock_mutex, unlock_mutex},
             {"rwlock", lock_rwlock, unlock_rwlock},
             {"barrier", reach_barrier, pass_barrier},
             {"flock", lock_file, unlock_file}};

static void *call_and_be_killed_later(void *arg)
{
    int i = *(int *)arg;
    ck_assert_msg(later[i].call() == 0, "%s: %s", later[i].name, strerror(errno));
    ended = 1;
    ck_assert_fails(evy_sleep(1), OURS);
    return NULL;
}

START_TEST(a_kill_ends_the_next_wait)
{
    char path[] = "/tmp/evy_XXXXXX";
    pthread_barrier_init(&barrier, NULL, 2);
    locked[0] = mkstemp(path);
    locked[1] = open(path, O_RDWR);
    unlink(path);
    ck_assert_int_eq(flock(locked[0], LOCK_EX), 0);
    evy_pthread_mutex_lock(&mutex);
    evy_pthread_rwlock_wrlock(&rwlock);
    evy_gt *g = evy_spawn(call_and_be_killed_later, &_i);
    evy_sleep(0.01);
    ck_assert_int_eq(evy_kill(g, OURS), 0);
    evy_sleep(0);
    ck_assert_int_eq(ended, 0);
    later[_i].release();
    ck_assert_msg(evy_gt_wait_timeout(g, NULL, 5) == 0, "%s is not ended", later[_i].name);
    evy_gt_unref(g);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, a_kill_ends_it, 0, array_len(calls));
    tcase_add_loop_test(tc, a_timeout_ends_it, 0, array_len(calls));
    tcase_add_loop_test(tc, a_callback_of_the_hub_is_refused, 0, array_len(calls));
    tcase_add_loop_test(tc, a_kill_ends_the_next_wait, 0, array_len(later));
}

int main(void)
{
    return run_cases("interrupts", add);
}
