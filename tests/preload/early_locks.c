// limit: 10
// Proves: locks that another library's constructor took before libevy's own ran are the same locks for the
// threads that use them later.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static int (*again)(void);

static void *use(void *unused)
{
    (void)unused;
    return again() == 1 ? "once" : "not once";
}

/* Starts over with the library in the environment's list, behind what is there. */
static void preload_library(const char *self)
{
    char list[8192];
    const char *before = getenv("LD_PRELOAD");
    int cut = (int)(strrchr(self, '/') - self);
    snprintf(list, sizeof list, "%s%s%.*s/lib/early.so", before ? before : "", before ? ":" : "",
             cut, self);
    CHECK(setenv("LD_PRELOAD", list, 1) == 0);
    CHECK(setenv("EARLY", "1", 1) == 0);
    execl(self, self, (char *)NULL);
    CHECK(!"exec");
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!getenv("EARLY"))
        preload_library(argv[0]);
    again = (int (*)(void))dlsym(RTLD_DEFAULT, "early_again");
    int (*release)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "early_release");
    CHECK(again && release);
    printf("held: %s\n", strerror(release()));
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        void *said;
        CHECK(pthread_create(&thread, NULL, use, NULL) == 0);
        CHECK(pthread_join(thread, &said) == 0);
        puts(said);
    }
    return 0;
}
