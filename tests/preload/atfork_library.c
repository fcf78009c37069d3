// flags: -ldl -Wl,-rpath,$ORIGIN/lib
// Proves: the fork handlers of a library go when it is closed, also by a handler, and another one at the same place
// does not get them back; those registered by a handler begin with the next fork.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"

static void *lib;
static int forks;

static void late(void)
{
    puts("late one");
}

static void prepare(void)
{
    puts("prepare");
    if (++forks == 1)
        CHECK(pthread_atfork(late, late, late) == 0);
    if (forks == 3)
        CHECK(dlclose(lib) == 0);
}

static void fork_once(const char *what)
{
    printf("%s\n", what);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        fflush(stdout);
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
    fflush(stdout);
}

static void open_library(void)
{
    lib = dlopen("atfork.so", RTLD_NOW);
    CHECK(lib != NULL);
}

static void *body(void *arg)
{
    open_library();
    CHECK(pthread_atfork(prepare, NULL, NULL) == 0);
    fork_once("with the library");
    fork_once("and what it registered");
    fork_once("the library closed by a handler");
    fork_once("without it");
    open_library();
    fork_once("opened again");
    CHECK(dlclose(lib) == 0);
    fork_once("closed");
    return arg;
}

int main(void)
{
    CHECK(pthread_join(spawn(body, NULL), NULL) == 0);
    return 0;
}
