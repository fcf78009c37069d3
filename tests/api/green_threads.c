/* A program that links the library and was patched nowhere: what its green threads share, signals, fork, children that
   begin anew, and main's end. */
#define _GNU_SOURCE
#include <errno.h>
#include <evy.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NEED(x)                                                                                    \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, #x, strerror(errno));                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static __thread int local;
static int order[8], ordered;

static void *set_local(void *arg)
{
    local = (int)(size_t)arg;
    evy_sleep(0.002);
    order[ordered++] = local;
    return NULL;
}

static void wait_for(evy_gt *g)
{
    NEED(g && evy_gt_wait(g, NULL) == 0);
    evy_gt_unref(g);
}

/* As Eventlet's share their OS thread's locals, but for those that ask for their own. */
static void share(void)
{
    evy_attr own = {0, EVY_OWN_TCB, NULL};
    evy_gt *a = evy_spawn(set_local, (void *)1), *b = evy_spawn(set_local, (void *)2);
    evy_gt *c = evy_spawn_ex(&own, set_local, (void *)3);
    local = 9;
    wait_for(a);
    wait_for(b);
    wait_for(c);
    NEED(local == 9);
    NEED(order[0] == 2 && order[1] == 2 && order[2] == 3);
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
    (void)sig;
    handled++;
    evy_interrupt_main(EINTR);
}

static void *raise_usr1(void *arg)
{
    kill(getpid(), SIGUSR1);
    return arg;
}

static void signals(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &act, NULL);
    evy_gt *g = evy_spawn(raise_usr1, NULL);
    NEED(evy_sleep(5) == -1 && errno == EINTR && handled == 1);
    wait_for(g);
}

static void *count(void *arg)
{
    ++*(int *)arg;
    return NULL;
}

/* Of a forked process only the caller lives on; it may begin anew. */
static void *fork_here(void *arg)
{
    int status, counted = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 10; i++)
            evy_gt_unref(evy_spawn(count, &counted));
        evy_sleep(0.001);
        _exit(counted == 10 ? 42 : 1);
    }
    NEED(pid > 0 && waitpid(pid, &status, 0) == pid);
    NEED(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    return arg;
}

static void forks(void)
{
    int counted = 0;
    fork_here(NULL);
    evy_gt *g = evy_spawn_after(0.002, count, &counted);
    wait_for(evy_spawn(fork_here, NULL));
    wait_for(g); /* the parent's go on */
    NEED(counted == 1);
}

/* A call that libc makes on another kernel thread for a light one: its errno comes back, and its locals are there. */
static void *fail_to_sync(void *fd)
{
    local = 7;
    errno = 0;
    NEED(fsync((int)(size_t)fd) == -1 && errno == EINVAL);
    NEED(local == 7);
    int file = memfd_create("file", 0);
    errno = EXDEV;
    NEED(fsync(file) == 0 && errno == EXDEV); /* as it was */
    close(file);
    return NULL;
}

static void blocking_calls(void)
{
    int fds[2];
    NEED(pipe(fds) == 0);
    NEED(evy_monkey_patch(EVY_PATCH_OS) == 0);
    evy_gt *g[10];
    for (int i = 0; i < 10; i++)
        g[i] = evy_spawn(fail_to_sync, (void *)(size_t)fds[0]);
    for (int i = 0; i < 10; i++)
        wait_for(g[i]);
}

static void *own_self(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return NULL;
}

static pthread_mutex_t held = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void *take_held(void *arg)
{
    NEED(pthread_mutex_lock(&held) == 0);
    ++*(int *)arg;
    NEED(pthread_mutex_unlock(&held) == 0);
    return NULL;
}

/* From here on __thread variables are green, too. A lock that was taken twice before keeps its owner and depth. */
static void patch_threads(void)
{
    pthread_t a, b;
    int taken = 0;
    NEED(pthread_mutex_lock(&held) == 0 && pthread_mutex_lock(&held) == 0);
    NEED(evy_monkey_patch(EVY_PATCH_ALL) == 0);
    evy_gt *taker = evy_spawn(take_held, &taken);
    NEED(pthread_create(&a, NULL, take_held, &taken) == 0);
    NEED(evy_sleep(0.002) == 0 && taken == 0);
    NEED(pthread_mutex_unlock(&held) == 0 && evy_sleep(0.002) == 0 && taken == 0);
    NEED(pthread_mutex_unlock(&held) == 0);
    wait_for(taker);
    NEED(pthread_join(a, NULL) == 0 && taken == 2);
    evy_gt *g = evy_spawn(own_self, &a), *h = evy_spawn(own_self, &b);
    wait_for(g);
    wait_for(h);
    NEED(a != b && a != pthread_self());
    time_t start = time(NULL);
    int ticks = 0;
    g = evy_spawn_after(0.001, count, &ticks);
    usleep(20000); /* green now: others run meanwhile */
    NEED(ticks == 1 && time(NULL) - start < 5);
    evy_gt_unref(g);
}

/* Sleeping costs nothing. */
static void idle(void)
{
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    evy_sleep(0.2);
    getrusage(RUSAGE_SELF, &after);
    long used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
                 before.ru_stime.tv_sec) *
                    1000000 +
                after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
                before.ru_stime.tv_usec;
    NEED(used < 20000);
}

static void *for_ever(void *arg)
{
    evy_sleep(EVY_FOREVER);
    return arg;
}

int main(void)
{
    share();
    signals();
    forks();
    idle();
    blocking_calls();
    patch_threads();
    for (int i = 0; i < 100; i++)
        NEED(evy_spawn_n(for_ever, NULL));
    evy_cede();
    puts("ok");
    return 0; /* ends the process, and them */
}
