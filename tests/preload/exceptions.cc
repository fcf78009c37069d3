// Proves: C++ exceptions cross frames on every thread, and threads that switch inside catch blocks
// keep their own std::current_exception and uncaught count.
#include <errno.h>
#include <exception>
#include <pthread.h>
#include <sched.h>
#include <stdexcept>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "check.h"

static void turn(int i)
{
    i % 3 ? (void)sched_yield() : (void)usleep(100);
}

struct Guard {
    int &count;
    explicit Guard(int &c) : count(c)
    {
        count++;
    }
    ~Guard()
    {
        usleep(50); // switch while unwinding
        CHECK(std::uncaught_exceptions() == 1);
        count--;
    }
};

static int deep(int level, int id, int &guards)
{
    Guard g(guards);
    if (level == 0)
        throw std::runtime_error("from " + std::to_string(id));
    return deep(level - 1, id, guards) + 1;
}

static void body(int id)
{
    for (int i = 0; i < 10; i++) {
        int guards = 0;
        CHECK(!std::current_exception());
        try {
            deep(id % 7, id, guards);
            CHECK(!"not reached");
        } catch (const std::runtime_error &e) {
            CHECK(guards == 0);
            CHECK(std::uncaught_exceptions() == 0);
            turn(i);
            CHECK(e.what() == "from " + std::to_string(id));
            try {
                throw id;
            } catch (int n) {
                turn(i + 1);
                CHECK(n == id);
                try {
                    throw;
                } catch (int &again) {
                    turn(i + 2);
                    CHECK(again == id);
                }
            }
            std::exception_ptr p = std::current_exception();
            CHECK(p != nullptr);
            try {
                std::rethrow_exception(p);
            } catch (const std::exception &same) {
                turn(i);
                CHECK(same.what() == "from " + std::to_string(id));
            }
        }
    }
}

int main()
{
    std::vector<std::thread> all;
    for (int i = 0; i < 60; i++)
        all.emplace_back(body, i);
    for (auto &t : all)
        t.join();
    puts("exceptions ok");
}
