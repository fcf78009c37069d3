/*
 * Answers per second of threads that each serve one connection, all of them accepted by one thread.
 *
 *   hubs ROUNDS SECONDS     ROUNDS of a loop per answer; prints {"per_second": ...}
 *
 * A child process keeps one request under way on every connection.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONNECTIONS = 64, WARM_US = 200000 };

static long rounds;
static atomic_long answers;

static void must(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char c;
    while (read(fd, &c, 1) == 1) {
        for (volatile long i = 0; i < rounds; i++)
            ;
        answers++;
        must(write(fd, &c, 1) == 1, "write");
    }
    return NULL;
}

static _Noreturn void ask(struct pollfd *fds)
{
    char c = 0;
    for (int i = 0; i < CONNECTIONS; i++)
        must(write(fds[i].fd, &c, 1) == 1, "write");
    while (poll(fds, CONNECTIONS, -1) > 0)
        for (int i = 0; i < CONNECTIONS; i++)
            if (fds[i].revents && (read(fds[i].fd, &c, 1) != 1 || write(fds[i].fd, &c, 1) != 1))
                _exit(0);
    _exit(1);
}

int main(int argc, char **argv)
{
    struct pollfd fds[CONNECTIONS];
    int servers[CONNECTIONS], ends[2];
    pthread_t thread;
    if (argc != 3)
        return 2;
    rounds = atol(argv[1]);
    for (int i = 0; i < CONNECTIONS; i++) {
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
        servers[i] = ends[0];
        fds[i] = (struct pollfd){.fd = ends[1], .events = POLLIN};
    }
    pid_t client = fork();
    if (client == 0)
        ask(fds);
    for (int i = 0; i < CONNECTIONS; i++)
        must(pthread_create(&thread, NULL, serve, (void *)(intptr_t)servers[i]) == 0, "thread");
    usleep(WARM_US);
    long before = answers;
    usleep((useconds_t)(atof(argv[2]) * 1e6));
    printf("{\"per_second\": %.0f}\n", (double)(answers - before) / atof(argv[2]));
    kill(client, SIGKILL);
    waitpid(client, NULL, 0);
    fflush(stdout);
    _exit(0);
}
