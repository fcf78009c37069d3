// Proves: C++ thread_local objects are built on first use and destroyed in reverse order at the
// end of each thread, before the pthread keys' destructors; a destructor may build another
// thread_local.
#include <atomic>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "check.h"

static thread_local std::string *story;

struct Traced {
    const char *name;
    int value;
    Traced(const char *n, int v) : name(n), value(v)
    {
        *story += std::string("+") + name + " ";
    }
    ~Traced()
    {
        usleep(100); // destructors may switch
        *story += std::string("-") + name + " ";
    }
};

static thread_local Traced a("a", 1);
static thread_local Traced b("b", 2);

static Traced &late()
{
    static thread_local Traced l("late", 3);
    return l;
}

struct Raiser {
    ~Raiser()
    {
        late().value++;
    }
};

static void key_destructor(void *p)
{
    *static_cast<std::string *>(p) += "key";
}

static pthread_key_t key;

static void *body(void *arg)
{
    story = static_cast<std::string *>(arg);
    pthread_setspecific(key, story);
    static thread_local Raiser r;
    (void)&r;
    CHECK(b.value == 2);
    CHECK(a.value == 1);
    a.value += 10;
    usleep(1000);
    CHECK(a.value == 11);
    return nullptr;
}

int main()
{
    std::vector<std::string> stories(100);
    std::vector<pthread_t> t(stories.size());
    CHECK(pthread_key_create(&key, key_destructor) == 0);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < t.size(); i++) {
            stories[i].clear();
            CHECK(pthread_create(&t[i], nullptr, body, &stories[i]) == 0);
        }
        for (size_t i = 0; i < t.size(); i++)
            CHECK(pthread_join(t[i], nullptr) == 0);
        for (auto &s : stories)
            CHECK(s == stories[0]);
    }
    printf("%s\n", stories[0].c_str());
    std::string exits;
    pthread_t e;
    CHECK(pthread_create(
              &e, nullptr,
              [](void *p) -> void * {
                  story = static_cast<std::string *>(p);
                  late().value = 7;
                  pthread_exit(nullptr);
              },
              &exits) == 0);
    CHECK(pthread_join(e, nullptr) == 0);
    printf("after pthread_exit: %s\n", exits.c_str());
}
