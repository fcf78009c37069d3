// Proves: of two processes that accept from one listener the one that was too late can still be interrupted by a handler.
#include "check.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { ROUNDS = 200 };

static int listener;
static atomic_int over, ended;

static void nothing(int sig)
{
    (void)sig;
}

static void *accepts(void *arg)
{
    while (!over) {
        int fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0 || errno == EINTR);
        if (fd >= 0)
            close(fd);
    }
    ended = 1;
    return arg;
}

static void client(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char c;
    CHECK(connect(fd, (const struct sockaddr *)at, sizeof *at) == 0);
    CHECK(read(fd, &c, 1) == 0);
    close(fd);
}

/* Each of the two: its thread accepts until the pipe ends, then a signal is to end it. */
static int serve(int fd)
{
    struct sigaction act = {.sa_handler = nothing};
    char c;
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    pthread_t t = spawn(accepts, NULL);
    CHECK(read(fd, &c, 1) == 0);
    over = 1;
    for (int i = 0; i < 1000 && !ended; i++) {
        pthread_kill(t, SIGUSR1);
        usleep(1000);
    }
    return ended ? 0 : 1;
}

int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&at, n) == 0 && listen(listener, 50) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&at, &n) == 0);
    int interrupted = 0;
    for (int i = 0; i < ROUNDS / 10; i++) {
        int end[2], status;
        pid_t pids[2];
        CHECK(pipe(end) == 0);
        for (int j = 0; j < 2; j++)
            if ((pids[j] = fork()) == 0) {
                close(end[1]);
                _exit(serve(end[0]));
            }
        for (int j = 0; j < 10; j++)
            client(&at);
        close(end[0]);
        close(end[1]);
        for (int j = 0; j < 2; j++)
            interrupted += waitpid(pids[j], &status, 0) == pids[j] && status == 0;
    }
    printf("%d of %d ended\n", interrupted, ROUNDS / 5);
    return 0;
}
