// Proves: pthread_exit and cancellation unwind C++ frames: destructors run in order, catch (...)
// sees it and rethrows.
#include <cxxabi.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <unistd.h>

#include "check.h"

static std::string log_text;
static volatile bool leave = true;

struct Noted {
    const char *name;
    ~Noted()
    {
        usleep(50);
        log_text += std::string(name) + " ";
    }
};

static void nest(int level, bool cancelled)
{
    Noted n{level == 0 ? "inner" : level == 1 ? "middle" : "outer"};
    if (level == 0) {
        if (!cancelled && leave)
            pthread_exit((void *)"left");
        while (leave)
            usleep(1000);
        return;
    }
    try {
        nest(level - 1, cancelled);
    } catch (abi::__forced_unwind &) {
        log_text += "forced ";
        throw;
    }
}

static void *body(void *arg)
{
    Noted n{"body"};
    pthread_cleanup_push([](void *) { log_text += "handler "; }, nullptr);
    nest(2, arg != nullptr);
    pthread_cleanup_pop(0);
    return nullptr;
}

int main()
{
    for (int i = 0; i < 20; i++) {
        bool cancelled = i % 2;
        pthread_t t;
        void *result;
        log_text.clear();
        CHECK(pthread_create(&t, nullptr, body, cancelled ? &t : nullptr) == 0);
        if (cancelled) {
            usleep(2000);
            CHECK(pthread_cancel(t) == 0);
        }
        CHECK(pthread_join(t, &result) == 0);
        CHECK(cancelled ? result == PTHREAD_CANCELED : std::string((char *)result) == "left");
        if (i < 2)
            printf("%s: %s\n", cancelled ? "cancel" : "exit", log_text.c_str());
    }
}
