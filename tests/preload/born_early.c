// Proves: threads that a library starts in its constructor, before main, run, wait and end as others do; main and
// those it starts itself share locks with them. The program starts itself again with the library preloaded.
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <semaphore.h>
#include <stdlib.h>

static sem_t sem;

static void *posts(void *arg)
{
    usleep(1000);
    CHECK(sem_post(&sem) == 0);
    return arg;
}

static void again(char **argv)
{
    char path[4096], *slash;
    const char *preload = getenv("LD_PRELOAD");
    CHECK(realpath(argv[0], path) && (slash = strrchr(path, '/')));
    strcpy(slash, "/lib/born.so");
    char *both = malloc(strlen(path) + (preload ? strlen(preload) : 0) + 2);
    CHECK(both && sprintf(both, "%s%s%s", preload ? preload : "", preload ? ":" : "", path) > 0);
    CHECK(setenv("LD_PRELOAD", both, 1) == 0);
    execl("/proc/self/exe", argv[0], (char *)NULL);
}

int main(int argc, char **argv)
{
    int (*end)(void);
    (void)argc;
    *(void **)&end = dlsym(RTLD_DEFAULT, "born_end");
    if (!end)
        again(argv);
    CHECK(end && sem_init(&sem, 0, 0) == 0);
    pthread_t t = spawn(posts, NULL);
    CHECK(sem_wait(&sem) == 0 && pthread_join(t, NULL) == 0);
    printf("born before main: %d\n", end());
    return 0;
}
