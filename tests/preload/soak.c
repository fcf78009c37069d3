// run: 20
// limit: 90
// only-preload
// Proves: under a mixed load (echo, threads that compute or block, storms of new threads, of cancellations and of
// signals) no wake-up is lost, no count is wrong and nothing leaks. The argument is how many seconds. SOAK_REPORT names
// a file for the counts.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { ECHOES = 40, RING = 12, STORM = 40, STUCK_SECONDS = 20, MOST_EXTRA = 40, OWN_FDS = 16 };

enum { ECHO, HOG, RAW, SEMS, SYNC, FLOCK, CREATE, CANCEL, SIGNAL, QUEUE, TOKEN, KINDS };
static const char *const names[KINDS] = {"echo",   "hog",    "raw",    "sems",  "sync", "flock",
                                         "create", "cancel", "signal", "queue", "token"};

static atomic_int stop;
static atomic_ulong done[KINDS]; /* turns of each kind */
static char file[] = "/tmp/soak.XXXXXX";
static int sems;

static unsigned chance(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % below;
}

static void pause_ms(unsigned ms)
{
    CHECK(usleep(ms * 1000) == 0 || errno == EINTR);
}

/* Echo: two threads per connection, messages of many sizes. */

static void *serves(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[4096];
    for (ssize_t n; (n = recv(fd, buf, sizeof buf, 0)) > 0;)
        CHECK(send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n);
    close(fd);
    return arg;
}

static void *echoes(void *arg)
{
    int pair[2];
    unsigned seed = (unsigned)(intptr_t)arg;
    char out[4096], in[4096];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pthread_t server = spawn(serves, (void *)(intptr_t)pair[0]);
    for (; !stop; done[ECHO]++) {
        size_t n = 1 + chance(&seed, sizeof out);
        memset(out, (int)seed, n);
        CHECK(send(pair[1], out, n, 0) == (ssize_t)n);
        CHECK(recv(pair[1], in, n, MSG_WAITALL) == (ssize_t)n && memcmp(in, out, n) == 0);
        if (chance(&seed, 8) == 0)
            pause_ms(chance(&seed, 5));
    }
    CHECK(shutdown(pair[1], SHUT_WR) == 0 && pthread_join(server, NULL) == 0);
    close(pair[1]);
    return NULL;
}

/* Threads that hold up their kernel thread. */

static void *hogs(void *arg)
{
    unsigned seed = 7;
    for (; !stop; done[HOG]++) {
        double end = now() + 1e-3 * chance(&seed, 40);
        while (now() < end)
            ;
        pause_ms(chance(&seed, 60));
    }
    return arg;
}

static void *blocks_raw(void *arg)
{
    unsigned seed = 9;
    for (; !stop; done[RAW]++) {
#ifdef __x86_64__
        struct timespec t = {0, 1000000 * (long)chance(&seed, 30)};
        long r;
        __asm__ volatile("syscall"
                         : "=a"(r)
                         : "a"((long)SYS_nanosleep), "D"(&t), "S"(0)
                         : "rcx", "r11", "memory");
#endif
        pause_ms(chance(&seed, 10));
    }
    return arg;
}

static void *waits_for_sem(void *arg)
{
    struct sembuf down = {.sem_op = -1};
    struct timespec limit = {0, 3000000};
    for (; !stop; done[SEMS]++)
        CHECK(semtimedop(sems, &down, 1, &limit) == -1 && (errno == EAGAIN || errno == EINTR));
    return arg;
}

static void *syncs(void *arg)
{
    int fd = open(file, O_RDWR);
    for (; !stop; done[SYNC]++) {
        CHECK(pwrite(fd, &fd, sizeof fd, 0) == sizeof fd && fsync(fd) == 0);
        pause_ms(2);
    }
    close(fd);
    return arg;
}

static atomic_int holders;

static void *locks_file(void *arg)
{
    int fd = open(file, O_RDWR), r;
    for (; !stop; done[FLOCK]++) {
        while ((r = flock(fd, LOCK_EX)) == -1 && errno == EINTR)
            ;
        CHECK(r == 0 && atomic_fetch_add(&holders, 1) == 0);
        pause_ms(1);
        CHECK(atomic_fetch_sub(&holders, 1) == 1 && flock(fd, LOCK_UN) == 0);
    }
    close(fd);
    return arg;
}

/* Storms. */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long counted; /* lock */

static void *counts(void *arg)
{
    for (int i = 0; i < 20; i++) {
        pthread_mutex_lock(&lock);
        counted++;
        pthread_mutex_unlock(&lock);
        if (i % 5 == 0)
            sched_yield();
    }
    return arg;
}

static void *creates(void *arg)
{
    pthread_t t[STORM];
    void *result;
    for (; !stop; done[CREATE]++) {
        for (intptr_t i = 0; i < STORM; i++)
            t[i] = spawn(counts, (void *)i);
        for (intptr_t i = 0; i < STORM; i++)
            CHECK(pthread_join(t[i], &result) == 0 && result == (void *)i);
        pause_ms(1);
    }
    return arg;
}

static void *reads_for_ever(void *arg)
{
    char c;
    while (read((int)(intptr_t)arg, &c, 1) == -1 && errno == EINTR)
        ;
    return arg;
}

static void *cancels(void *arg)
{
    int p[2];
    void *result;
    unsigned seed = 3;
    CHECK(pipe(p) == 0);
    for (; !stop; done[CANCEL]++) {
        pthread_t t = spawn(reads_for_ever, (void *)(intptr_t)p[0]);
        if (chance(&seed, 2))
            pause_ms(chance(&seed, 3));
        CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0 &&
              result == PTHREAD_CANCELED);
    }
    close(p[0]);
    close(p[1]);
    return arg;
}

/* Signals: each that is handled posts, each post is waited for. */

static sem_t posted;
static atomic_ulong handled;

static void on_signal(int sig)
{
    (void)sig;
    handled++;
    sem_post(&posted);
}

static void *waits_for_signals(void *arg)
{
    for (;; done[SIGNAL]++) {
        while (sem_wait(&posted) == -1 && errno == EINTR)
            ;
        if (stop)
            return arg;
    }
}

static void *kills(void *victims)
{
    unsigned seed = 5;
    while (!stop) {
        CHECK(pthread_kill(((pthread_t *)victims)[chance(&seed, ECHOES)], SIGUSR1) == 0);
        kill(getpid(), SIGUSR1);
        pause_ms(chance(&seed, 8));
    }
    return victims;
}

/* A bounded queue with timeouts, and a token that goes round through pipes. */

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned queued, put, got; /* queue_lock */

static void *puts_in(void *arg)
{
    pthread_mutex_lock(&queue_lock);
    while (!stop) {
        while (queued == 8 && !stop)
            pthread_cond_wait(&changed, &queue_lock);
        queued++, put++;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&queue_lock);
    return arg;
}

static void *takes_out(void *arg)
{
    pthread_mutex_lock(&queue_lock);
    while (!stop) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_sec++;
        while (queued == 0 && !stop)
            pthread_cond_timedwait(&changed, &queue_lock, &t);
        if (queued)
            queued--, got++, done[QUEUE]++;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&queue_lock);
    return arg;
}

static int ring[RING][2];

static void *passes_on(void *arg)
{
    intptr_t i = (intptr_t)arg;
    unsigned long token;
    ssize_t n;
    while ((n = read(ring[i][0], &token, sizeof token)) != 0) {
        if (n == -1 && errno == EINTR)
            continue;
        CHECK(n == sizeof token && (i || token == done[TOKEN]++));
        token += i == 0;
        if (stop && i == 0)
            break;
        CHECK(write(ring[(i + 1) % RING][1], &token, sizeof token) == sizeof token);
    }
    close(ring[(i + 1) % RING][1]);
    return arg;
}

/* The frame */

static int entries(const char *path)
{
    int n = -2;
    DIR *d = opendir(path);
    CHECK(d != NULL);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* For how long the kernel threads have run, and have been ready without a processor. */
static struct share {
    double run, waited;
} processor_share(void)
{
    struct share all = {0};
    struct dirent *e;
    char path[300], text[64];
    DIR *d = opendir("/proc/self/task");
    CHECK(d != NULL);
    while ((e = readdir(d))) {
        unsigned long run = 0, waited = 0;
        snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", e->d_name);
        int fd = open(path, O_RDONLY);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
        text[n > 0 ? n : 0] = 0;
        sscanf(text, "%lu %lu", &run, &waited);
        all.run += 1e-9 * (double)run;
        all.waited += 1e-9 * (double)waited;
        if (fd >= 0)
            close(fd);
    }
    closedir(d);
    return all;
}

/* Seconds, those left out in which only a processor was missing: on a machine that is busy with others nothing stands
   still however long it takes, and what waits for a wake-up that never comes needs no processor. */
static double granted(void)
{
    static struct share last;
    static double at, sum;
    struct share s = processor_share();
    double run = s.run - last.run, waited = s.waited - last.waited, t = now();
    double passed = at > 0 ? t - at : 0;
    if (passed > 1) /* stopped, all of it: who looks is late, too */
        passed = 1;
    sum += passed * (run > 0 && waited > 0 ? run / (run + waited) : 1);
    last = s;
    at = t;
    return sum;
}

static void stands_still(int kind, double seconds)
{
    struct share s = processor_share();
    printf("%s stands still for %.0f s of processor; in all %.0f s run, %.0f s without one\n",
           names[kind], seconds, s.run, s.waited);
    fflush(stdout);
    abort();
}

/* Every kind goes on for ever: one that stands still has lost a wake-up. */
static void watch(double end)
{
    unsigned long seen[KINDS] = {0};
    double moved[KINDS] = {0};
    while (now() < end) {
        usleep(200000);
        double t = granted();
        for (int k = 0; k < KINDS; k++) {
            if (done[k] != seen[k])
                moved[k] = t;
            seen[k] = done[k];
            if (t - moved[k] > STUCK_SECONDS)
                stands_still(k, t - moved[k]);
        }
    }
}

static void report(int threads)
{
    const char *path = getenv("SOAK_REPORT");
    FILE *f = path ? fopen(path, "a") : NULL;
    if (!f)
        return;
    for (int k = 0; k < KINDS; k++)
        fprintf(f, "%s %lu, ", names[k], (unsigned long)done[k]);
    struct counts {
        unsigned hubs, switches, hand_offs, moves;
    } counts = {0};
    void (*count)(struct counts *) =
        (void (*)(struct counts *))dlsym(RTLD_DEFAULT, "evy_hub_counts");
    if (count)
        count(&counts);
    fprintf(f, "%u hubs, %u switches, %u hand-offs, %u moves, ", counts.hubs, counts.switches,
            counts.hand_offs, counts.moves);
    fprintf(f, "signals %lu, kernel threads %d\n", (unsigned long)handled, threads);
    fclose(f);
}

int main(int argc, char **argv)
{
    static void *(*const others[])(void *) = {
        hogs,    hogs,       blocks_raw, blocks_raw, waits_for_sem, waits_for_sem,
        syncs,   locks_file, locks_file, creates,    creates,       waits_for_signals,
        puts_in, puts_in,    takes_out,  takes_out,  cancels};
    enum { OTHERS = sizeof others / sizeof *others };
    pthread_t echo[ECHOES], other[OTHERS], pass[RING], killer;
    double end = now() + (argc > 1 ? atof(argv[1]) : 1);
    int fds = entries("/proc/self/fd");
    close(mkstemp(file));
    CHECK((sems = semget(IPC_PRIVATE, 1, 0600)) >= 0 && sem_init(&posted, 0, 0) == 0);
    CHECK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART},
                    NULL) == 0);
    for (int i = 0; i < RING; i++)
        CHECK(pipe(ring[i]) == 0);
    for (intptr_t i = 0; i < ECHOES; i++)
        echo[i] = spawn(echoes, (void *)i);
    for (int i = 0; i < OTHERS; i++)
        other[i] = spawn(others[i], NULL);
    for (intptr_t i = 0; i < RING; i++)
        pass[i] = spawn(passes_on, (void *)i);
    killer = spawn(kills, echo);
    CHECK(write(ring[0][1], &(unsigned long){0}, sizeof(long)) == sizeof(long));
    watch(end);
    int threads = entries("/proc/self/task");
    stop = 1;
    CHECK(pthread_join(killer, NULL) == 0 && sem_post(&posted) == 0);
    pthread_mutex_lock(&queue_lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&queue_lock);
    for (int i = 0; i < ECHOES; i++)
        CHECK(pthread_join(echo[i], NULL) == 0);
    for (int i = 0; i < OTHERS; i++)
        CHECK(pthread_join(other[i], NULL) == 0);
    for (int i = 0; i < RING; i++) {
        CHECK(pthread_join(pass[i], NULL) == 0);
        close(ring[i][0]);
    }
    int left;
    CHECK(sem_getvalue(&posted, &left) == 0 && handled + 1 - done[SIGNAL] - 1 == (unsigned)left);
    CHECK(counted == done[CREATE] * STORM * 20 && put == got + queued && holders == 0);
    CHECK(semctl(sems, 0, IPC_RMID) == 0 && unlink(file) == 0);
    if (entries("/proc/self/fd") > fds + OWN_FDS)
        printf("%d descriptors, %d at first\n", entries("/proc/self/fd"), fds);
    if (threads > MOST_EXTRA)
        printf("%d kernel threads\n", threads);
    report(threads);
    puts("ok");
    return 0;
}
