// Proves: connections that all live on one hub are served by two when it has too much to do, within 100 ms:
// after that, in each few milliseconds, no kernel thread does more than 65 % of the work: two that take turns in
// driving one hub would do all of it.
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { CONNECTIONS = 24, TRIES = 20, CARRIERS = 64, WINDOWS = 60, WINDOW_MS = 5 };

static atomic_bool counting; /* the spreading has had its time */
static atomic_int tids[CARRIERS];
static atomic_long served[WINDOWS][CARRIERS];
static double begin; /* of the first window */

static void count(void)
{
    int tid = kernel_thread_id(), window = (int)((now() - begin) * 1000 / WINDOW_MS);
    for (int i = 0; i < CARRIERS && window < WINDOWS; i++) {
        int seen = 0;
        if (atomic_compare_exchange_strong(&tids[i], &seen, tid) || seen == tid) {
            served[window][i]++;
            return;
        }
    }
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char c;
    while (read(fd, &c, 1) == 1) {
        for (double end = now() + 0.0002; now() < end;)
            ;
        if (counting)
            count();
        CHECK(write(fd, &c, 1) == 1);
    }
    return NULL;
}

/* A process that keeps one request under way on every connection. */
static pid_t start_client(int ends[CONNECTIONS][2])
{
    pid_t pid = fork();
    if (pid)
        return pid;
    struct pollfd fds[CONNECTIONS];
    char c = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        close(ends[i][0]);
        fds[i] = (struct pollfd){.fd = ends[i][1], .events = POLLIN};
    }
    usleep(100000);
    for (int i = 0; i < CONNECTIONS; i++)
        CHECK(write(fds[i].fd, &c, 1) == 1);
    while (poll(fds, CONNECTIONS, -1) > 0)
        for (int i = 0; i < CONNECTIONS; i++)
            if (fds[i].revents && (read(fds[i].fd, &c, 1) != 1 || write(fds[i].fd, &c, 1) != 1))
                _exit(0);
    _exit(0);
}

static int is_even(void)
{
    long most = 0, all = 0;
    for (int w = 0; w < WINDOWS; w++) {
        long most_here = 0;
        for (int i = 0; i < CARRIERS; i++) {
            all += served[w][i];
            most_here = served[w][i] > most_here ? served[w][i] : most_here;
        }
        most += most_here;
    }
    return all > 0 && most * 100 <= all * 65;
}

/* Each thread waits before the next begins, so that none is ready and all stay where they are. */
static void try_once(void)
{
    int ends[CONNECTIONS][2];
    for (int i = 0; i < CONNECTIONS; i++)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]) == 0);
    start_client(ends);
    for (int i = 0; i < CONNECTIONS; i++) {
        close(ends[i][1]);
        spawn(serve, (void *)(intptr_t)ends[i][0]);
        usleep(1000);
    }
    usleep(100000 - CONNECTIONS * 1000 + 100000);
    begin = now();
    counting = 1;
    usleep(WINDOWS * WINDOW_MS * 1000);
    counting = 0;
    _exit(is_even() ? 0 : 1);
}

int main(void)
{
    const char *hubs = getenv("EVY_HUBS");
    int even = !hubs || atoi(hubs) != 2, status;
    for (int i = 0; i < TRIES && !even; i++) {
        fflush(stdout);
        if (fork() == 0)
            try_once();
        CHECK(wait(&status) > 0 && WIFEXITED(status));
        even = WEXITSTATUS(status) == 0;
    }
    puts(even ? "even" : "uneven");
    return 0;
}
