// Proves: pthread_exit of main, and its cancellation, run the destructors and cleanup handlers of
// main's frames before the process waits for its other threads.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static pthread_t main_thread;

struct Noted {
    const char *name;
    ~Noted()
    {
        usleep(100);
        printf("~%s\n", name);
    }
};

static void *waiter(void *how)
{
    void *result;
    if (how)
        CHECK(pthread_cancel(main_thread) == 0);
    CHECK(pthread_join(main_thread, &result) == 0);
    printf("main ended with %ld\n", (long)result);
    return nullptr;
}

static void deep(bool cancelled)
{
    Noted n{"deep"};
    pthread_cleanup_push([](void *) { puts("handler"); }, nullptr);
    if (!cancelled)
        pthread_exit((void *)3);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
}

int main()
{
    Noted n{"main"};
    pthread_t t;
    main_thread = pthread_self();
    bool cancelled = fork() == 0; // both ways, one after the other
    if (!cancelled)
        usleep(200000);
    CHECK(pthread_create(&t, nullptr, waiter, cancelled ? &t : nullptr) == 0);
    fflush(stdout);
    deep(cancelled);
}
