// A library with initial-exec TLS, a thread_local object, and a constructor that uses both on two threads.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <pthread.h>

#define IE __attribute__((tls_model("initial-exec")))

static int target;
static std::atomic<int> ended;

static __thread int value IE = 41;
static __thread int *pointer IE = &target; // relocated: the image is final only after relocation
static __thread long zero[4] IE;

struct Object {
    int owner = 0;
    ~Object()
    {
        ended += owner == value;
    }
};

static thread_local Object object;

extern "C" bool tls_fresh()
{
    return value == 41 && pointer == &target && !zero[0] && !zero[3];
}

extern "C" void tls_take(int number)
{
    value = number;
    zero[3] = number;
}

extern "C" bool tls_has(int number)
{
    return value == number && zero[3] == number;
}

extern "C" void tls_own_object()
{
    object.owner = value;
}

extern "C" int tls_ended()
{
    return ended;
}

static void *helper(void *)
{
    if (!tls_fresh())
        std::puts("a thread of the constructor sees old values");
    tls_take(7);
    return nullptr;
}

__attribute__((constructor)) static void start()
{
    if (!tls_fresh())
        std::puts("the constructor sees old values");
    tls_take(100);
    pthread_t t;
    if (pthread_create(&t, nullptr, helper, nullptr) || pthread_join(t, nullptr))
        std::abort();
    if (!tls_has(100))
        std::puts("the constructor lost its values");
    tls_take(41);
    zero[3] = 0;
}
