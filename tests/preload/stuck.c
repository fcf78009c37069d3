// flags: -Wl,-rpath,$ORIGIN/lib -Wl,--export-dynamic
// limit: 120
// Proves: threads that spin, compute, block where nobody could know it (a raw system call, a lock
// inside libc, the loader, a library's constructor, a page that comes late to a program or to a call
// of its) or hand a processor round in long turns do not stop 1,000 echo connections of their process
// for more than 30 ms, and finish correctly. Where others keep the client from running, it allows as
// much for itself and for the server. STUCK_GAPS names a file for the worst answer times.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { CONNECTIONS = 1000, MOST_MS = 30, TRIES = 10, HELD_US = 300000, MOST = 10 };

/* No hook sees this one. */
static long raw_call(long number, long a, long b, long c, long d, long e)
{
#ifdef __x86_64__
    long r;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return r;
#else
    return syscall(number, a, b, c, d, e);
#endif
}

/* The client: a process of its own, asks a connection each millisecond from 'b' to 'e', tells the longest time
   until an answer. */

static struct pollfd peers[CONNECTIONS + 1]; /* and the control connection */
static double asked[CONNECTIONS];            /* 0: nothing outstanding */

struct times {
    double worst; /* until an answer */
    double late;  /* by which the client itself came to look at answers */
};

static double hear(double worst)
{
    char c;
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!(peers[i].revents & POLLIN) || !asked[i])
            continue;
        CHECK(recv(peers[i].fd, &c, 1, 0) == 1 && c == (char)i);
        worst = now() - asked[i] > worst ? now() - asked[i] : worst;
        asked[i] = 0;
    }
    return worst;
}

static void ask(int i)
{
    char c = (char)i;
    if (asked[i])
        return;
    asked[i] = now();
    CHECK(send(peers[i].fd, &c, 1, MSG_NOSIGNAL) == 1);
}

static void client(int control)
{
    struct times t = {0, 0};
    double looked = now();
    char command = 0;
    peers[CONNECTIONS] = (struct pollfd){.fd = control, .events = POLLIN};
    for (int i = 0;; i = (i + 1) % CONNECTIONS) {
        poll(peers, CONNECTIONS + 1, 1);
        double late = now() - looked - 0.001;
        t.late = late > t.late ? late : t.late;
        looked += late + 0.001;
        t.worst = hear(t.worst);
        if (peers[CONNECTIONS].revents) {
            if (recv(control, &command, 1, 0) != 1)
                _exit(0);
            for (int k = 0; k < CONNECTIONS && command == 'e'; k++)
                t.worst = asked[k] && looked - asked[k] > t.worst ? looked - asked[k] : t.worst;
            if (command == 'e')
                CHECK(send(control, &t, sizeof t, 0) == sizeof t);
            t = (struct times){0, 0};
        }
        if (command == 'b')
            ask(i);
    }
}

static void *echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char c;
    while (recv(fd, &c, 1, 0) == 1)
        CHECK(send(fd, &c, 1, 0) == 1);
    return arg;
}

static int start_client(int servers[CONNECTIONS])
{
    int control[2], pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, control) == 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        servers[i] = pair[0];
        peers[i] = (struct pollfd){.fd = pair[1], .events = POLLIN};
    }
    if (fork() == 0) {
        close(control[0]);
        client(control[1]);
    }
    return control[0];
}

/* The stuck ones. Each is released after HELD_US. */

static volatile int flag;
static int pipe_fds[2];
static FILE *shared;
static pid_t child;

static void *spins(void *arg)
{
    unsigned long n = 0;
    do
        n++;
    while (!flag);
    return n ? arg : NULL;
}

static void *computes(void *arg)
{
    volatile uint64_t x = 1;
    for (double end = now() + 2; now() < end;)
        for (int i = 0; i < 100000; i++)
            x = x * 6364136223846793005u + 1;
    return arg;
}

static void *takes_turns(void *arg)
{
    for (double end = now() + 0.3; now() < end; sched_yield())
        for (double turn = now() + 0.001; now() < turn;)
            ;
    return arg;
}

static void raw_read(void)
{
    char c = 0;
    CHECK(raw_call(SYS_read, pipe_fds[0], (long)&c, 1, 0, 0) == 1 && c == 'x');
}

static void *reads_raw(void *arg)
{
    raw_read();
    return arg;
}

static void *holds_stream(void *arg)
{
    flockfile(shared);
    raw_read();
    fputs("held\n", shared);
    funlockfile(shared);
    return arg;
}

static int raw_read_once(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info, (void)size, (void)arg;
    raw_read();
    return 7;
}

static void *holds_loader(void *arg)
{
    CHECK(dl_iterate_phdr(raw_read_once, NULL) == 7);
    return arg;
}

static int constructed[2], in_green;

void stuck_constructor(void) /* for stuck.so */
{
    char c = 0;
    if (in_green)
        CHECK(read(pipe_fds[0], &c, 1) == 1 && c == 'x');
    else
        raw_read();
    constructed[0]++;
}

static void *opens_library(void *arg)
{
    void *lib = dlopen("stuck.so", RTLD_NOW | RTLD_LOCAL);
    CHECK(lib != NULL && constructed[0] == ++constructed[1] && dlclose(lib) == 0);
    return arg;
}

/* Who waits in green leaves its kernel thread, and keeps the loader's lock. */
static void *opens_in_green(void *arg)
{
    in_green = 1;
    void *result = opens_library(arg);
    in_green = 0;
    return result;
}

static void *waits_raw(void *arg)
{
    siginfo_t info;
    CHECK(raw_call(SYS_waitid, P_PID, child, (long)&info, WEXITED, 0) == 0);
    CHECK(info.si_pid == child && info.si_status == 3);
    return arg;
}

static int locked[2]; /* one file, opened twice */

static void *locks_raw(void *arg)
{
    CHECK(raw_call(SYS_flock, locked[1], LOCK_EX, 0, 0, 0) == 0 && flock(locked[1], LOCK_UN) == 0);
    return arg;
}

/* A page that comes when somebody brings it; where that is not allowed, a byte from the pipe. */

static char *page;
static int pages = -1; /* userfaultfd */

static void make_page(void)
{
    struct uffdio_api api = {.api = UFFD_API};
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    struct uffdio_register range = {.range = {(uintptr_t)page, 4096},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    pages = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (pages >= 0)
        CHECK(ioctl(pages, UFFDIO_API, &api) == 0 && ioctl(pages, UFFDIO_REGISTER, &range) == 0);
}

static void bring_page(void)
{
    struct uffdio_zeropage zero = {.range = {(uintptr_t)page, 4096}};
    if (pages >= 0)
        CHECK(ioctl(pages, UFFDIO_ZEROPAGE, &zero) == 0);
    else
        CHECK(write(pipe_fds[1], "x", 1) == 1);
}

static void lose_page(void)
{
    CHECK(madvise(page, 4096, MADV_DONTNEED) == 0);
    if (pages < 0)
        raw_read();
}

static void *touches_page(void *arg)
{
    lose_page();
    CHECK(*(volatile char *)page == 0);
    return arg;
}

static void *reads_slowly(void *arg)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    lose_page();
    CHECK(read(fd, page, 4) == 4 && memcmp(page, "\177ELF", 4) == 0 && close(fd) == 0);
    return arg;
}

static void *controls_slowly(void *arg)
{
    lose_page();
    CHECK(ioctl(locked[0], FIONREAD, page) == 0 && *(int *)page == 0);
    return arg;
}

static void *prints(void *arg)
{
    fprintf(shared, "waited\n");
    return arg;
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info, (void)size, (void)arg;
    return 1;
}

static void *visits(void *arg)
{
    CHECK(dl_iterate_phdr(visit, NULL) == 1);
    return arg;
}

static const struct kind {
    const char *name;
    void *(*body)(void *);
    int count;              /* threads that do it */
    int reads;              /* bytes they read from the pipe */
    void *(*other)(void *); /* what five more threads do: they want what it holds */
} kinds[] = {{"spin", spins, 1, 0, NULL},
             {"compute", computes, 1, 0, NULL},
             {"raw read", reads_raw, 1, 1, NULL},
             {"stream lock", holds_stream, 1, 1, prints},
             {"loader", holds_loader, 1, 1, visits},
             {"constructor", opens_library, 1, 1, visits},
             {"green constructor", opens_in_green, 1, 1, visits},
             {"raw waitid", waits_raw, 1, 0, NULL},
             {"raw flock", locks_raw, 1, 0, NULL},
             {"page", touches_page, 1, 0, NULL},
             {"slow read", reads_slowly, 1, 0, NULL},
             {"slow ioctl", controls_slowly, 1, 0, NULL},
             {"ten raw reads", reads_raw, MOST, MOST, NULL},
             {"four spin", spins, 4, 0, NULL},
             {"five take turns", takes_turns, 5, 0, NULL}};

static void release(const struct kind *k)
{
    usleep(HELD_US);
    flag = 1;
    for (int i = 0; i < k->reads; i++)
        CHECK(write(pipe_fds[1], "x", 1) == 1);
    if (k->body == locks_raw)
        CHECK(flock(locked[0], LOCK_UN) == 0);
    if (k->body == touches_page || k->body == reads_slowly || k->body == controls_slowly)
        bring_page();
}

static void start_child(void)
{
    child = fork();
    if (child == 0) {
        usleep(HELD_US);
        _exit(3);
    }
}

static struct times once(const struct kind *k, int control)
{
    pthread_t stuck[MOST], others[5];
    struct times t;
    flag = 0;
    if (k->body == waits_raw)
        start_child();
    if (k->body == locks_raw)
        CHECK(flock(locked[0], LOCK_EX) == 0);
    CHECK(write(control, "b", 1) == 1);
    for (int i = 0; i < k->count; i++)
        stuck[i] = spawn(k->body, &child);
    usleep(20000);
    for (int i = 0; i < 5 && k->other; i++)
        others[i] = spawn(k->other, NULL);
    release(k);
    void *result;
    for (int i = 0; i < k->count; i++)
        CHECK(pthread_join(stuck[i], &result) == 0 && result == &child);
    for (int i = 0; i < 5 && k->other; i++)
        CHECK(pthread_join(others[i], NULL) == 0);
    CHECK(write(control, "e", 1) == 1 && read(control, &t, sizeof t) == sizeof t);
    return t;
}

/* A busy machine may hold up one run or the other. */
static void show(const struct kind *k, int control)
{
    const char *path = getenv("STUCK_GAPS");
    struct times best = {1e9, 0};
    int good = 0;
    for (int i = 0; i < TRIES && !good; i++) {
        struct times t = once(k, control);
        best = t.worst < best.worst ? t : best;
        good = (t.worst - 2 * t.late) * 1000 <= MOST_MS;
    }
    FILE *f = path ? fopen(path, "a") : NULL;
    if (f) {
        fprintf(f, "%s: %.1f ms\n", k->name, best.worst * 1000);
        fclose(f);
    }
    if (good)
        printf("%s ok\n", k->name);
    else
        printf("%s: an answer took %.0f ms\n", k->name, best.worst * 1000);
    fflush(stdout);
}

static void make_file(void)
{
    char name[] = "/tmp/stuck.XXXXXX";
    locked[0] = mkstemp(name);
    locked[1] = open(name, O_RDWR);
    CHECK(locked[0] >= 0 && locked[1] >= 0 && unlink(name) == 0);
}

int main(void)
{
    static int servers[CONNECTIONS];
    static pthread_t t[CONNECTIONS];
    struct rlimit files = {4096, 4096};
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    int control = start_client(servers);
    CHECK(pipe(pipe_fds) == 0 && (shared = fopen("/dev/null", "w")));
    make_file();
    make_page();
    for (int i = 0; i < CONNECTIONS; i++)
        t[i] = spawn(echo, (void *)(intptr_t)servers[i]);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        show(&kinds[k], control);
    CHECK(close(control) == 0 && wait(NULL) > 0);
    for (int i = 0; i < CONNECTIONS; i++)
        CHECK(shutdown(servers[i], SHUT_RDWR) == 0 && pthread_join(t[i], NULL) == 0);
    return 0;
}
