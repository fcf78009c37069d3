// Proves: what a vfork child does to its descriptors and handlers before it execs, on its parent's memory, leaves the
// parent's alone: threads that wait on the same numbers go on waiting and are served, signals are handled.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "check.h"

pid_t second_vfork(void) __asm__("__vfork") __attribute__((returns_twice));

static int s[2], p[2];
static atomic_int stop, signals;

static void *reads_pipe(void *arg)
{
    char c;
    CHECK(read(p[0], &c, 1) == 1 && c == 'p');
    return arg;
}

static void *echoes(void *arg)
{
    char c;
    while (read(s[1], &c, 1) == 1)
        CHECK(write(s[1], &c, 1) == 1);
    return arg;
}

static void *talks(void *arg)
{
    while (!stop) {
        char c = 'x', back = 0;
        CHECK(write(s[0], &c, 1) == 1 && read(s[0], &back, 1) == 1 && back == c);
        usleep(100);
    }
    return arg;
}

static void count(int sig)
{
    (void)sig;
    signals++;
}

/* As programs do that start others: what the parent handles is the default again. */
static void default_action(int sig)
{
    struct sigaction act, dfl = {.sa_handler = SIG_DFL};
    if (sigaction(sig, NULL, &act) || act.sa_handler != count)
        _exit(2);
    if (sigaction(sig, &dfl, &act) || act.sa_handler != count)
        _exit(3);
    if (sigaction(sig, NULL, &act) || act.sa_handler != SIG_DFL)
        _exit(4);
}

static void child(int out)
{
    default_action(SIGUSR1);
    default_action(SIGSEGV);
    dup2(out, 1);
    dup2(out, 0);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    closefrom(3);
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_APPEND);
    execlp("sh", "sh", "-c", "echo $0; exit 7", "said", NULL);
    _exit(1);
}

static void start(bool second)
{
    int status, out[2];
    char text[16] = "";
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    pid_t pid = second ? second_vfork() : vfork();
    if (pid == 0)
        child(out[1]);
    CHECK(pid > 0 && close(out[1]) == 0);
    CHECK(read(out[0], text, sizeof text) == 5 && strcmp(text, "said\n") == 0 &&
          close(out[0]) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    int before = signals;
    CHECK(raise(SIGUSR1) == 0 && signals > before);
}

static void *starts(void *arg)
{
    for (int i = 0; i < 20; i++)
        start(i % 2);
    return arg;
}

int main(void)
{
    struct sigaction counts = {.sa_handler = count};
    CHECK(sigaction(SIGUSR1, &counts, NULL) == 0 && sigaction(SIGSEGV, &counts, NULL) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(p) == 0);
    pthread_t r = spawn(reads_pipe, NULL), e = spawn(echoes, NULL), t = spawn(talks, NULL);
    usleep(5000);
    pthread_t a = spawn(starts, NULL), b = spawn(starts, NULL);
    CHECK(pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0);
    stop = 1;
    CHECK(pthread_join(t, NULL) == 0 && shutdown(s[0], SHUT_RDWR) == 0 &&
          pthread_join(e, NULL) == 0);
    CHECK(write(p[1], "p", 1) == 1 && pthread_join(r, NULL) == 0);
    puts("children did no harm");
    return 0;
}
