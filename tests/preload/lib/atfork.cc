// A library that registers handlers for fork, which go when it is closed.
#include <cstdio>
#include <pthread.h>

static void prepare()
{
    std::puts("library: prepare");
}

static void parent()
{
    std::puts("library: parent");
}

static void child()
{
    std::puts("library: child");
}

__attribute__((constructor)) static void start()
{
    pthread_atfork(prepare, parent, child);
}
