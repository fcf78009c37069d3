// Proves: a process that the kernel runs with another's rights takes nothing from EVY_*: neither what they ask for nor
// a complaint about it.
#define _GNU_SOURCE
#include <evy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *arg)
{
    return arg;
}

/* What it says of its environment, and how many hubs it has. */
static int tell(void)
{
    evy_counts counts;
    if (evy_gt_wait(evy_spawn(nothing, NULL), NULL))
        return 1;
    evy_hub_counts(&counts);
    printf("secure %d, %u hubs\n", getauxval(AT_SECURE) != 0, counts.hubs);
    return 0;
}

static void expect(int secure, const char *self, const char *words)
{
    char said[1000] = "";
    int fds[2], status;
    size_t n = 0;
    ssize_t got;
    if (pipe(fds))
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        close(fds[0]);
        if (secure && setresuid(65534, 0, 0)) /* as in a program that is root's and setuid */
            _exit(2);
        execl(self, self, "tell", NULL);
        _exit(3);
    }
    close(fds[1]);
    while ((got = read(fds[0], said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    if (waitpid(pid, &status, 0) != pid || status || strcmp(said, words)) {
        printf("status %x, said: %s", status, said);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return tell();
    if (geteuid()) {
        puts("only root can take another's rights");
        return 77;
    }
    setenv("EVY_HUBS", "3", 1);
    expect(0, argv[0], "secure 0, 3 hubs\n");
    expect(1, argv[0], "secure 1, 1 hubs\n");
    setenv("EVY_PATCH_EXCLUDE", "*", 1);
    setenv("EVY_LOG", "debug", 1);
    setenv("EVY_STATS", "1", 1);
    setenv("EVY_TRACE", "/tmp/evy-secure-trace", 1);
    expect(1, argv[0], "secure 1, 1 hubs\n");
    return access("/tmp/evy-secure-trace", F_OK) == 0;
}
