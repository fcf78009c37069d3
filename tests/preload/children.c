// only-preload
// Proves: EVY_CHILDREN decides whether a program that is started keeps libevy, whichever call starts it, from a thread
// or while alone; other preloads stay, and an environment without the preload is left as it is.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;
static const char *self;

static int report(const char *how)
{
    const char *preload = getenv("LD_PRELOAD"),
               *ours = preload ? strstr(preload, "libevy.so") : NULL;
    printf("%s:%s%s%s\n", how, preload ? " preload" : " none", ours ? " ours" : "",
           preload && strstr(preload, "libm.so.6") ? " libm" : "");
    return 0;
}

static void become(int way)
{
    char name[] = "by execve";
    char *argv[] = {(char *)self, name, NULL};
    int fd;
    switch (way) {
    case 0:
        execve(self, argv, environ);
        break;
    case 1:
        execl(self, self, "by execl", NULL);
        break;
    case 2:
        execlp(self, self, "by execlp", NULL);
        break;
    case 3:
        execle(self, self, "by execle", NULL, environ);
        break;
    case 4:
        strcpy(name + 3, "execvp");
        execvp(self, argv);
        break;
    case 5:
        strcpy(name + 3, "fexec");
        fd = open(self, O_RDONLY | O_CLOEXEC);
        fexecve(fd, argv, environ);
        break;
    default:
        execle(self, self, "by empty", NULL, (char *[]){NULL});
    }
    _exit(9);
}

static void reap(pid_t pid)
{
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void *all(void *arg)
{
    char command[4200], *argv[] = {(char *)self, (char *)"by spawn", NULL};
    pid_t pid;
    for (int way = 0; way < 7; way++) {
        if ((pid = fork()) == 0)
            become(way);
        reap(pid);
    }
    for (volatile int way = 1; way < 4; way += 2) {
        if ((pid = vfork()) == 0)
            become(way);
        reap(pid);
    }
    CHECK(posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0);
    reap(pid);
    snprintf(command, sizeof command, "exec %s 'by system'", self);
    CHECK(system(command) == 0);
    snprintf(command, sizeof command, "exec %s 'by popen'", self);
    CHECK(pclose(popen(command, "w")) == 0);
    return arg;
}

static int start_all(void)
{
    puts("alone");
    fflush(stdout);
    all(NULL);
    puts("from a thread");
    fflush(stdout);
    pthread_join(spawn(all, NULL), NULL);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const values[] = {"1", "0", "sh,nobody", "children", "child?en,sh", "a/b"};
    char preload[4200];
    self = argv[0];
    if (argc > 1)
        return strcmp(argv[1], "start") ? report(argv[1]) : start_all();
    snprintf(preload, sizeof preload, "libm.so.6:%s", getenv("LD_PRELOAD"));
    setenv("LD_PRELOAD", preload, 1);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        printf("EVY_CHILDREN=%s\n", values[i]);
        fflush(stdout);
        setenv("EVY_CHILDREN", values[i], 1);
        pid_t pid = fork();
        if (pid == 0) {
            execl(self, self, "start", NULL);
            _exit(9);
        }
        reap(pid);
    }
    return 0;
}
