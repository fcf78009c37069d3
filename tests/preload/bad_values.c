// only-preload
// Proves: a bad value of an EVY_ variable gives one clear line on stderr and the program runs with
// the default. The program runs itself once per case with the child's stderr in a pipe.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static const char *const cases[] = {"EVY_HUBS=abc",
                                    "EVY_HUBS=0",
                                    "EVY_HUBS=-1",
                                    "EVY_HUBS=65",
                                    "EVY_HUBS=2x",
                                    "EVY_HUBS=",
                                    "EVY_PATCH=sockets",
                                    "EVY_PATCH=all,-tread",
                                    "EVY_STACK=12q",
                                    "EVY_STACK=1",
                                    "EVY_HUB_METHOD=iocp",
                                    "EVY_LOG=shout",
                                    "EVY_HUBS=2",
                                    "EVY_PATCH=-thread,-os",
                                    "EVY_STACK=256k",
                                    "EVY_HUB_METHOD=poll",
                                    "EVY_BLOCKING_THREADS=0",
                                    "EVY_BLOCKING_THREADS=1",
                                    "EVY_LOG="};

static void *thread(void *arg)
{
    usleep(100);
    return arg;
}

static int child(void)
{
    pthread_t t;
    void *result;
    CHECK(pthread_create(&t, NULL, thread, (void *)5) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == (void *)5);
    puts("runs");
    return 0;
}

int main(int argc, char **argv)
{
    char text[4096];
    if (argc > 1)
        return child();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int p[2], status;
        ssize_t n, have = 0;
        CHECK(pipe(p) == 0);
        pid_t pid = fork();
        if (pid == 0) {
            dup2(p[1], 1);
            dup2(p[1], 2);
            close(p[0]);
            close(p[1]);
            putenv((char *)cases[i]);
            execl(argv[0], argv[0], "child", NULL);
            _exit(99);
        }
        close(p[1]);
        while ((n = read(p[0], text + have, sizeof text - 1 - (size_t)have)) > 0)
            have += n;
        text[have] = 0;
        close(p[0]);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
        printf("%s:\n%s", cases[i], text);
    }
    return 0;
}
