// flags: -std=c++20
// Proves: std::thread, mutex, shared_mutex, condition_variable, future, async, call_once,
// counting_semaphore, latch, barrier and jthread.
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <errno.h>
#include <future>
#include <latch>
#include <mutex>
#include <pthread.h>
#include <semaphore>
#include <shared_mutex>
#include <stdio.h>
#include <stdlib.h>
#include <stop_token>
#include <string.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "check.h"

using namespace std::chrono_literals;

static void queue()
{
    std::mutex m;
    std::condition_variable c;
    std::vector<int> items;
    long sum = 0;
    std::thread taker([&] {
        for (int n = 0; n < 1000; n++) {
            std::unique_lock lock(m);
            c.wait(lock, [&] { return !items.empty(); });
            sum += items.back();
            items.pop_back();
        }
    });
    for (int i = 0; i < 1000; i++) {
        std::lock_guard lock(m);
        items.push_back(i);
        c.notify_one();
    }
    taker.join();
    std::unique_lock lock(m);
    auto start = std::chrono::steady_clock::now();
    CHECK(c.wait_for(lock, 40ms) == std::cv_status::timeout);
    CHECK(std::chrono::steady_clock::now() - start >= 39ms);
    printf("sum %ld\n", sum);
}

static void futures()
{
    std::vector<std::future<int>> all;
    for (int i = 0; i < 50; i++)
        all.push_back(std::async(std::launch::async, [i] {
            std::this_thread::sleep_for(1ms);
            if (i == 13)
                throw std::runtime_error("thirteen");
            return i * i;
        }));
    int total = 0;
    for (auto &f : all)
        try {
            total += f.get();
        } catch (const std::runtime_error &e) {
            CHECK(std::string(e.what()) == "thirteen");
        }
    printf("total %d\n", total);
    std::promise<int> p;
    auto f = p.get_future();
    CHECK(f.wait_for(20ms) == std::future_status::timeout);
    std::thread t([&] { p.set_value(7); });
    CHECK(f.get() == 7);
    t.join();
}

static void cxx20()
{
    std::counting_semaphore<10> sem(3);
    std::latch all(20);
    std::atomic<int> inside{0}, completions{0};
    std::barrier round(20, [&]() noexcept { completions++; });
    std::once_flag once;
    int runs = 0;
    std::shared_mutex rw;
    long value = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 20; i++)
        threads.emplace_back([&, i] {
            for (int k = 0; k < 50; k++) {
                sem.acquire();
                CHECK(++inside <= 3);
                std::this_thread::yield();
                inside--;
                sem.release();
                if (k % 5 == i % 5) {
                    std::unique_lock w(rw);
                    value++;
                } else {
                    std::shared_lock r(rw);
                    CHECK(value >= 0);
                }
            }
            std::call_once(once, [&] {
                std::this_thread::sleep_for(5ms);
                runs++;
            });
            CHECK(runs == 1);
            all.arrive_and_wait();
            for (int k = 0; k < 10; k++)
                round.arrive_and_wait();
        });
    threads.clear();
    std::jthread stopper([](std::stop_token s) {
        while (!s.stop_requested())
            std::this_thread::sleep_for(1ms);
    });
    stopper.request_stop();
    stopper.join();
    printf("value %ld completions %d\n", value, completions.load());
}

int main()
{
    queue();
    futures();
    cxx20();
}
