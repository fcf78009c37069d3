// Proves: a thread that overflows its stack ends the process as natively, with and without a handler; under libevy one
// line names it first. A SIGSEGV that is sent, and a fault elsewhere, end it without that line.
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

static __attribute__((noinline)) int dig(int depth)
{
    volatile char room[512];
    room[0] = (char)depth;
    return depth < 0 ? 0 : dig(depth + 1) + room[0];
}

static void last_words(int sig)
{
    (void)sig;
    if (write(1, "handler\n", 8) == 8)
        _exit(3);
}

static void *overflow(void *how)
{
    static char alt[32768];
    pthread_setname_np(pthread_self(), "digger");
    if (*(char *)how == 'h') {
        CHECK(sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = sizeof alt}, NULL) == 0);
        struct sigaction act = {.sa_handler = last_words, .sa_flags = SA_ONSTACK};
        CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
    }
    dig(0);
    return NULL;
}

static void *fault(void *how)
{
    if (*(char *)how == 's')
        kill(getpid(), SIGSEGV);
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
    return NULL;
}

static void in_child(const char *how)
{
    const struct rlimit none = {0, 0};
    pthread_attr_t attr;
    pthread_t t;
    setrlimit(RLIMIT_CORE, &none);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 128 << 10);
    CHECK(pthread_create(&t, &attr, *how == 'o' || *how == 'h' ? overflow : fault, (void *)how) ==
          0);
    pthread_join(t, NULL);
    _exit(9);
}

static void try(const char *how, int told)
{
    char text[1000] = "";
    int fds[2], status;
    CHECK(pipe(fds) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], 2);
        in_child(how);
    }
    close(fds[1]);
    for (ssize_t n, at = 0; (n = read(fds[0], text + at, sizeof text - 1 - (size_t)at)) > 0;)
        at += n;
    close(fds[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    printf("%s: status %x\n", how, status & 0xff7f);
    if (getenv("EVY_HUBS") && told)
        CHECK(strstr(text, "libevy: green thread ") &&
              strstr(text, "(digger) has used up its stack of 128 KiB\n"));
    else
        CHECK(!*text);
}

int main(void)
{
    try("overflow", 1);
    try("handler", 1);
    try("sent", 0);
    try("fault", 0);
    return 0;
}
