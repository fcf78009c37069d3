// flags: -Wl,-rpath,$ORIGIN/lib -ldl
// only-preload
// Proves: EVY_PATCH_EXCLUDE leaves a program, or a library that is opened later, on native calls, and nothing else.
#include "check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

static pthread_barrier_t end;

static void *wait_at_end(void *arg)
{
    pthread_barrier_wait(&end);
    return arg;
}

static int kernel_threads(void)
{
    int count = -2; /* . and .. */
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count;
}

/* 20 threads more are more than the hubs' few. */
static const char *kind(int seen)
{
    return seen > 20 ? "native" : "green";
}

static int look(void)
{
    void *lib = dlopen("threads.so", RTLD_NOW);
    CHECK(lib != NULL);
    int (*seen)(int) = (int (*)(int))(uintptr_t)dlsym(lib, "threads_seen");
    pthread_t t[20];
    pthread_barrier_init(&end, NULL, 21);
    for (int i = 0; i < 20; i++)
        t[i] = spawn(wait_at_end, NULL);
    printf("program: %s\n", kind(kernel_threads()));
    pthread_barrier_wait(&end);
    for (int i = 0; i < 20; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    printf("library: %s\n", kind(seen(20)));
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const values[] = {"nobody",   "threads.so", "other*,threa*",
                                         "excluded", "exc*",       "a,,b"};
    if (argc > 1)
        return look();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        int status;
        printf("EVY_PATCH_EXCLUDE=%s\n", values[i]);
        fflush(stdout);
        setenv("EVY_PATCH_EXCLUDE", values[i], 1);
        pid_t pid = fork();
        if (pid == 0) {
            execl(argv[0], argv[0], "look", NULL);
            _exit(9);
        }
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    return 0;
}
