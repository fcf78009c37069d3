// Proves: sleeps refuse bad arguments and say what is left when a handler interrupts them, on every clock, relative and
// absolute; moments that have passed return at once; a series of absolute sleeps does not drift.
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <threads.h>

#include "check.h"

static void on_signal(int sig)
{
    (void)sig;
}

static pthread_t sleeper;

static void *interrupts(void *arg)
{
    usleep(20000);
    CHECK(pthread_kill(sleeper, SIGUSR1) == 0);
    return arg;
}

static const char *name(int error)
{
    return error ? strerrorname_np(error) : "ok";
}

static void refused(void)
{
    struct timespec bad[] = {{-1, 0}, {0, -1}, {0, 1000000000}};
    for (int i = 0; i < 3; i++) {
        errno = 0;
        int r = nanosleep(&bad[i], NULL);
        printf("nanosleep %d %s\n", r, name(errno));
        printf("relative %s, ", name(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad[i], NULL)));
        printf("absolute %s, ",
               name(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &bad[i], NULL)));
        printf("C11 %d\n", thrd_sleep(&bad[i], NULL));
    }
    struct timespec zero = {0, 0};
    printf("%s %s %s\n", name(clock_nanosleep(12345, 0, &zero, NULL)),
           name(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &zero, NULL)),
           name(clock_nanosleep(CLOCK_MONOTONIC_COARSE, 0, &zero, NULL)));
    printf("%s %s\n", name(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &zero, NULL)),
           name(clock_nanosleep(CLOCK_MONOTONIC, 0x700, &zero, NULL)));
    CHECK(nanosleep(&zero, NULL) == 0 && usleep(0) == 0 && sleep(0) == 0 && usleep(1000001) == 0);
}

static void passed(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    for (int i = 0; i < 4; i++) {
        struct timespec at, zero = {0, 0}, after;
        CHECK(clock_gettime(clocks[i], &at) == 0);
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &zero, NULL) == 0);
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &at, NULL) == 0);
        at.tv_nsec += 20000000;
        if (at.tv_nsec >= 1000000000) {
            at.tv_nsec -= 1000000000;
            at.tv_sec++;
        }
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &at, NULL) == 0 &&
              clock_gettime(clocks[i], &after) == 0);
        CHECK(after.tv_sec > at.tv_sec ||
              (after.tv_sec == at.tv_sec && after.tv_nsec >= at.tv_nsec));
    }
}

static void interrupted(int flags)
{
    struct sigaction act = {.sa_handler = on_signal,
                            .sa_flags = flags}; // sleeps are never restarted
    struct timespec five = {5, 0}, left = {0, 0}, at;
    sleeper = pthread_self();
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    pthread_t t = spawn(interrupts, NULL);
    CHECK(nanosleep(&five, &left) == -1 && errno == EINTR && left.tv_sec == 4 && left.tv_nsec > 0);
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(interrupts, NULL);
    left.tv_sec = 0;
    CHECK(clock_nanosleep(CLOCK_BOOTTIME, 0, &five, &left) == EINTR && left.tv_sec == 4);
    CHECK(pthread_join(t, NULL) == 0 && clock_gettime(CLOCK_REALTIME, &at) == 0);
    t = spawn(interrupts, NULL);
    at.tv_sec += 5;
    left = (struct timespec){77, 77};
    CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, &left) == EINTR && left.tv_sec == 77);
    CHECK(pthread_join(t, NULL) == 0);
    t = spawn(interrupts, NULL);
    CHECK(sleep(5) == 4 && pthread_join(t, NULL) == 0); // whole ones
    t = spawn(interrupts, NULL);
    CHECK(usleep(900000) == -1 && errno == EINTR && pthread_join(t, NULL) == 0);
    t = spawn(interrupts, NULL);
    CHECK(thrd_sleep(&five, &left) == -1 && left.tv_sec == 4 && pthread_join(t, NULL) == 0);
}

static void no_drift(void)
{
    struct timespec at;
    double start = now();
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (int i = 0; i < 200; i++) {
        at.tv_nsec += 1000000;
        if (at.tv_nsec >= 1000000000) {
            at.tv_nsec -= 1000000000;
            at.tv_sec++;
        }
        CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0);
    }
    double took = now() - start;
    CHECK(took >= 0.2 && took < 0.3);
}

static void *all(void *arg)
{
    refused();
    passed();
    interrupted(0);
    interrupted(SA_RESTART);
    no_drift();
    return arg;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK(pthread_join(spawn(all, NULL), NULL) == 0);
    puts("sleeps ok");
    return 0;
}
