// flags: -std=c++20
// Proves: C++20 atomic wait/notify (futex through syscall) and the guards of function-local
// statics work between threads.
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

static std::atomic<int> ball{0}, constructions{0};
static std::atomic<bool> go{false};

struct Slow {
    int value;
    Slow()
    {
        constructions++;
        usleep(20000);
        value = 42;
    }
};

static int guarded()
{
    static Slow s; // the others wait for the first
    return s.value;
}

static int fails_first()
{
    static std::atomic<int> tries{0};
    static int v = [] {
        usleep(1000);
        if (tries++ == 0)
            throw std::string("first");
        return 9;
    }();
    return v;
}

int main()
{
    std::vector<std::thread> t;
    std::atomic<int> failures{0};
    for (int i = 0; i < 50; i++)
        t.emplace_back([&] {
            go.wait(false);
            CHECK(guarded() == 42);
            try {
                CHECK(fails_first() == 9);
            } catch (const std::string &) {
                failures++;
            }
        });
    usleep(2000);
    go = true;
    go.notify_all();
    for (auto &x : t)
        x.join();
    std::thread other([] {
        for (int i = 1; i < 2000; i += 2) {
            ball.wait(i - 1);
            ball = i + 1;
            ball.notify_one();
        }
    });
    for (int i = 0; i < 2000; i += 2) {
        CHECK(ball == i);
        ball = i + 1;
        ball.notify_one();
        ball.wait(i + 1);
        i = ball - 2;
    }
    other.join();
    printf("constructions %d failures %d ball %d\n", constructions.load(), failures.load(),
           ball.load());
}
