// run: 200
// limit: 90
// Proves: a process that ends while its threads compute, switch, write, allocate and fork on every hub ends as it is
// told, in each of 200 runs: by main or another thread, by exit, return, quick_exit, _exit, abort, pthread_exit of
// main or a fatal signal. Handlers that wait run once and in order, thread_locals only of the thread that ends it, and
// what stdio holds is written once.
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { WAYS = 8 };

static atomic_int over;
static FILE *sink;
static pthread_key_t key;

static void handler(void)
{
    usleep(500); /* others run on meanwhile */
    fputs("h", stdout);
}

static void first_handler(void)
{
    sched_yield();
    fputs("f", stdout);
}

static void quick_handler(void)
{
    usleep(300);
    CHECK(write(1, "q", 1) == 1);
}

__attribute__((destructor)) static void destructor(void)
{
    if (over)
        fputs("d\n", stdout);
}

static void key_gone(void *arg)
{
    if (!pthread_equal(pthread_self(), *(pthread_t *)arg))
        CHECK(write(1, "!", 1) == 1);
}

static void *busy(void *how)
{
    char c;
    while (1)
        switch ((size_t)how % 5) {
        case 0:
            for (volatile int i = 0; i < 10000; i++)
                ;
            break;
        case 1:
            sched_yield();
            break;
        case 2:
            fprintf(sink, "%p\n", (void *)&c);
            break;
        case 3:
            free(malloc(5000));
            usleep(10);
            break;
        default:
            pause();
        }
    return NULL;
}

static void end(int way)
{
    switch (way) {
    case 0:
        exit(3);
    case 1:
        quick_exit(4);
    case 2:
        _exit(5);
    case 3:
        abort();
    case 4:
        raise(SIGTERM);
        break;
    default:
        exit(6);
    }
}

static void *ends(void *way)
{
    if ((size_t)way % 2)
        usleep(100);
    end((int)(size_t)way);
    return NULL;
}

static int life(int run)
{
    int way = run % WAYS;
    const struct rlimit none = {0, 0};
    static pthread_t me;
    setrlimit(RLIMIT_CORE, &none);
    over = 1;
    atexit(handler);
    atexit(first_handler);
    at_quick_exit(quick_handler);
    me = pthread_self();
    CHECK(pthread_key_create(&key, key_gone) == 0 && pthread_setspecific(key, &me) == 0);
    fputs("b", stdout);
    for (size_t i = 0; i < 6; i++)
        spawn(busy, (void *)(run / WAYS % 5 ? 1 + i % 4 : i % 5));
    if (run / WAYS % 3)
        sched_yield();
    if (way == 6)
        return 7;
    if (way == 7) {
        spawn(ends, (void *)5);
        pthread_exit(NULL);
    }
    if (run / WAYS % 2)
        end(way);
    spawn(ends, (void *)(size_t)way);
    for (;;)
        pause();
}

static void tell(int run, int fd, pid_t pid)
{
    static char seen[2][WAYS][90];
    char said[24] = "", line[90];
    int status;
    size_t n = 0;
    ssize_t got;
    while (n < sizeof said - 1 && (got = read(fd, said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    CHECK(waitpid(pid, &status, 0) == pid);
    snprintf(line, sizeof line, "way %d from %s: status %x, said %s", run % WAYS,
             run / WAYS % 2 ? "main" : "thread", status, said);
    char *before = seen[run / WAYS % 2][run % WAYS];
    if (!*before)
        puts(strcpy(before, line));
    else if (strcmp(before, line))
        printf("run %d differs: %s\n", run, line);
}

int main(int argc, char **argv)
{
    sink = fopen("/dev/null", "w");
    for (int run = 0; run < (argc > 1 ? atoi(argv[1]) : 200); run++) {
        int fds[2];
        fflush(stdout);
        CHECK(sink && pipe(fds) == 0);
        pid_t pid = fork();
        if (pid == 0) {
            dup2(fds[1], 1);
            close(fds[0]);
            close(fds[1]);
            return life(run);
        }
        close(fds[1]);
        tell(run, fds[0], pid);
        close(fds[0]);
    }
    return 0;
}
