// methods
// Proves: threads block on eventfds (also as semaphores and when full), timerfds and signal each
// other through them.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int counter, permits, fullfd;

static void *adder(void *arg)
{
    usleep(1000);
    CHECK(eventfd_write(counter, (eventfd_t)(intptr_t)arg) == 0);
    return NULL;
}

static void *permit(void *arg)
{
    eventfd_t v;
    CHECK(eventfd_read(permits, &v) == 0 && v == 1);
    return arg;
}

static void *filler(void *arg)
{
    uint64_t max = UINT64_MAX - 1, one = 1;
    CHECK(write(fullfd, &max, sizeof max) == sizeof max);
    CHECK(write(fullfd, &one, sizeof one) == sizeof one); // blocks until it is read
    return arg;
}

static void *timer(void *arg)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t ticks, sum = 0;
    struct itimerspec s = {{0, 10000000}, {0, 10000000}};
    double start = now();
    CHECK(fd >= 0 && timerfd_settime(fd, 0, &s, NULL) == 0);
    while (sum < 5) {
        CHECK(read(fd, &ticks, sizeof ticks) == sizeof ticks);
        sum += ticks;
    }
    CHECK(now() - start >= 0.049 && now() - start < 5);
    close(fd);
    return arg;
}

int main(void)
{
    pthread_t t[40];
    uint64_t sum = 0, v;
    CHECK((counter = eventfd(0, 0)) >= 0 && (permits = eventfd(0, EFD_SEMAPHORE)) >= 0 &&
          (fullfd = eventfd(0, 0)) >= 0);
    for (intptr_t i = 0; i < 10; i++) {
        t[i] = spawn(adder, (void *)(i + 1));
        t[10 + i] = spawn(permit, NULL);
        t[20 + i] = spawn(timer, NULL);
    }
    while (sum < 55) {
        CHECK(read(counter, &v, sizeof v) == sizeof v);
        sum += v;
    }
    CHECK(eventfd_write(permits, 10) == 0);
    for (int i = 0; i < 30; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    pthread_t f = spawn(filler, NULL);
    usleep(20000);
    CHECK(read(fullfd, &v, sizeof v) == sizeof v && v == UINT64_MAX - 1);
    CHECK(pthread_join(f, NULL) == 0);
    CHECK(read(fullfd, &v, sizeof v) == sizeof v && v == 1);
    CHECK(read(fullfd, &v, 4) == -1 && errno == EINVAL);
    printf("sum %d\n", (int)sum);
    return 0;
}
