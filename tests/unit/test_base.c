/* Floor 0: list, inbox, spin, clock, config. */
#include "../suite.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/inbox.h"
#include "base/list.h"
#include "base/log.h"
#include "base/spin.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4
#define PER_THREAD 50000

struct item {
    struct list link;
    int value;
};

START_TEST(list_keeps_order)
{
    struct list head;
    struct item items[3] = {{.value = 0}, {.value = 1}, {.value = 2}};
    list_init(&head);
    ck_assert(list_empty(&head));
    for (int i = 0; i < 3; i++)
        list_append(&head, &items[i].link);
    int expected = 0;
    list_for_each (n, &head)
        ck_assert_int_eq(list_entry(n, struct item, link)->value, expected++);
    ck_assert_int_eq(expected, 3);
    list_remove(&items[1].link);
    ck_assert_ptr_eq(head.next, &items[0].link);
    ck_assert_ptr_eq(head.next->next, &items[2].link);
}
END_TEST

START_TEST(list_removal_while_walking)
{
    struct list head;
    struct item items[10];
    list_init(&head);
    for (int i = 0; i < 10; i++)
        list_append(&head, &items[i].link);
    list_for_each_safe (n, &head) {
        list_remove(n);
        memset(n, 0xff, sizeof(*n));
    }
    ck_assert(list_empty(&head));
}
END_TEST

struct message {
    struct inbox_node node;
    int sender, number;
};

static struct inbox box;
static struct message sent[THREADS][PER_THREAD];

static void *producer(void *arg)
{
    int sender = (int)(intptr_t)arg;
    struct message *m = sent[sender];
    for (int i = 0; i < PER_THREAD; i++) {
        m[i].sender = sender;
        m[i].number = i;
        inbox_push(&box, &m[i].node);
    }
    return NULL;
}

/* Each sender's messages arrive in its order. */
START_TEST(inbox_of_many_producers)
{
    pthread_t threads[THREADS];
    int next[THREADS] = {0}, total = 0;
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, producer, (void *)i);
    while (total < THREADS * PER_THREAD)
        for (struct inbox_node *n = inbox_take(&box); n; n = n->next, total++) {
            struct message *m = container_of(n, struct message, node);
            ck_assert_int_eq(m->number, next[m->sender]++);
        }
    ck_assert(inbox_empty(&box));
    ck_assert_ptr_null(inbox_take(&box));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

static struct spin lock;
static long shared;

static void *adder(void *arg)
{
    (void)arg;
    for (int i = 0; i < PER_THREAD; i++) {
        spin_lock(&lock);
        shared++;
        spin_unlock(&lock);
    }
    return NULL;
}

START_TEST(spin_excludes)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, adder, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(shared, (long)THREADS * PER_THREAD);
}
END_TEST

START_TEST(clock_conversions)
{
    struct timespec ts = {1, 500000000}, huge = {INT64_MAX, 999999999}, bad = {0, 1000000000};
    struct timeval tv = {2, 3};
    ck_assert_int_eq(timespec_to_ns(&ts), 1500000000);
    ck_assert_int_eq(timeval_to_ns(&tv), 2000003000);
    ck_assert_int_eq(timespec_to_ns(&huge), INT64_MAX);
    ck_assert(timespec_valid(&huge) && !timespec_valid(&bad));
    bad = (struct timespec){-1, 0};
    ck_assert(!timespec_valid(&bad));
    bad = (struct timespec){0, -1};
    ck_assert(!timespec_valid(&bad));
    ts = ns_to_timespec(-5);
    ck_assert(ts.tv_sec == 0 && ts.tv_nsec == 0);
    ts = ns_to_timespec(3000000007);
    ck_assert(ts.tv_sec == 3 && ts.tv_nsec == 7);
}
END_TEST

START_TEST(deadlines_saturate)
{
    int64_t now = clock_now();
    ck_assert_int_gt(now, 0);
    ck_assert_int_eq(deadline_after(INT64_MAX), DEADLINE_NEVER);
    ck_assert_int_eq(deadline_after(INT64_MAX - 1), DEADLINE_NEVER);
    ck_assert_int_ge(deadline_after(-7), now);
    ck_assert_int_eq(deadline_left(DEADLINE_NEVER), DEADLINE_NEVER);
    ck_assert_int_eq(deadline_left(now - 1), 0);
    int64_t left = deadline_left(deadline_after(NSEC_PER_SEC));
    ck_assert(left > NSEC_PER_SEC / 2 && left <= NSEC_PER_SEC);
}
END_TEST

static void expect_left(clockid_t clock, int64_t ns)
{
    struct timespec at;
    deadline_t d;
    clock_gettime(clock, &at);
    at.tv_sec += ns / NSEC_PER_SEC;
    ck_assert_int_eq(deadline_from_abs(clock, &at, &d), 0);
    ck_assert_int_le(llabs(deadline_left(d) - ns), NSEC_PER_SEC / 10);
}

START_TEST(deadlines_of_clocks)
{
    expect_left(CLOCK_REALTIME, 5 * NSEC_PER_SEC);
    expect_left(CLOCK_MONOTONIC, 5 * NSEC_PER_SEC);
    expect_left(CLOCK_BOOTTIME, 5 * NSEC_PER_SEC);
    expect_left(CLOCK_TAI, 5 * NSEC_PER_SEC);
    struct timespec ts = {0, 0}, bad = {0, -1}, far = {INT64_MAX, 0};
    deadline_t d = 42;
    ck_assert_int_eq(deadline_from_abs(CLOCK_THREAD_CPUTIME_ID, &ts, &d), -EINVAL);
    ck_assert_int_eq(deadline_from_abs(CLOCK_REALTIME, &bad, &d), -EINVAL);
    ck_assert_int_eq(deadline_from_rel(&bad, &d), -EINVAL);
    ck_assert_int_eq(d, 42);
    ck_assert_int_eq(deadline_from_abs(CLOCK_REALTIME, &ts, &d), 0); /* 1970 */
    ck_assert_int_eq(deadline_left(d), 0);
    ck_assert_int_eq(deadline_from_abs(CLOCK_REALTIME, &far, &d), 0);
    ck_assert_int_eq(d, DEADLINE_NEVER);
    ck_assert(deadline_from_abs(CLOCK_REALTIME, NULL, &d) == 0 && d == DEADLINE_NEVER);
    ck_assert(deadline_from_rel(NULL, &d) == 0 && d == DEADLINE_NEVER);
}
END_TEST

static const struct {
    const char *value;
    unsigned mask;
} legal_patches[] = {
    {"all", SUBSET_ALL},
    {"all,file", SUBSET_ANY},
    {"none", 0},
    {"socket", SUBSET_SOCKET},
    {"socket,time", SUBSET_SOCKET | SUBSET_TIME},
    {"time,time", SUBSET_TIME},
    {"-thread", SUBSET_ALL & ~SUBSET_THREAD},
    {"all,-thread,-dns", SUBSET_ALL & ~(SUBSET_THREAD | SUBSET_DNS)},
    {"socket,time,-time", SUBSET_SOCKET},
};

START_TEST(patch_legal)
{
    unsigned mask = 1u << 31;
    const char *bad = NULL;
    ck_assert_int_eq(config_parse_patch(legal_patches[_i].value, &mask, &bad), 0);
    ck_assert_uint_eq(mask, legal_patches[_i].mask);
    ck_assert_ptr_null(bad);
}
END_TEST

static const struct {
    const char *value;
    size_t bad; /* where the bad word starts */
} bad_patches[] = {{"", 0},           {"sockets", 0}, {"socket,", 7},    {",socket", 0},
                   {"socket,tim", 7}, {"-all", 0},    {"socket,all", 7}, {"none,dns", 0},
                   {"-", 0},          {"--dns", 0},   {"ALL", 0},        {"socket time", 0},
                   {"dns,none", 4},   {"socke", 0}};

START_TEST(patch_bad)
{
    unsigned mask = 77;
    const char *value = bad_patches[_i].value, *bad = NULL;
    ck_assert_int_eq(config_parse_patch(value, &mask, &bad), -EINVAL);
    ck_assert_uint_eq(mask, 77);
    ck_assert_int_eq(bad - value, (long)bad_patches[_i].bad);
}
END_TEST

START_TEST(sizes)
{
    static const struct {
        const char *value;
        size_t size;
    } good[] = {
        {"0", 0}, {"65536", 65536}, {"64k", 65536}, {"1M", 1 << 20}, {"2g", (size_t)2 << 30}};
    static const char *const bad[] = {"",
                                      "k",
                                      "1kb",
                                      "-1",
                                      " 1",
                                      "1 k",
                                      "0x10",
                                      "1t",
                                      "99999999999999999999",
                                      "18446744073709551615k"};
    size_t n;
    for (size_t i = 0; i < array_len(good); i++) {
        ck_assert_int_eq(config_parse_size(good[i].value, &n), 0);
        ck_assert_uint_eq(n, good[i].size);
    }
    for (size_t i = 0; i < array_len(bad); i++)
        ck_assert_msg(config_parse_size(bad[i], &n) == -EINVAL, "%s", bad[i]);
}
END_TEST

/* Runs config_load with stderr in a buffer. */
static const char *load_and_read(void)
{
    static char text[4096];
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    int saved = dup(2);
    dup2(fds[1], 2);
    close(fds[1]);
    config_load();
    dup2(saved, 2);
    close(saved);
    ssize_t n = read(fds[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fds[0]);
    return text;
}

START_TEST(load_good)
{
    setenv("EVY_PATCH", "socket", 1);
    setenv("EVY_HUBS", "3", 1);
    setenv("EVY_STACK", "256k", 1);
    setenv("EVY_HUB_METHOD", "poll", 1);
    setenv("EVY_LOG", "debug", 1);
    ck_assert_str_eq(load_and_read(), "");
    ck_assert_uint_eq(config.patch, SUBSET_SOCKET);
    ck_assert_uint_eq(config.hubs, 3);
    ck_assert_uint_eq(config.stack, 256 << 10);
    ck_assert_int_eq(config.method, METHOD_POLL);
    ck_assert_int_eq(log_level, LOG_DEBUG);
}
END_TEST

START_TEST(load_defaults)
{
    setenv("EVY_HUBS", "", 1); /* empty is unset */
    ck_assert_str_eq(load_and_read(), "");
    ck_assert_uint_eq(config.patch, SUBSET_ALL);
    ck_assert(config.hubs >= 1 && config.hubs <= MAX_HUBS);
    ck_assert_uint_eq(config.stack, 0);
    ck_assert_int_eq(log_level, LOG_WARN);
}
END_TEST

static const struct {
    const char *name, *value, *says;
} bad_values[] = {
    {"EVY_HUBS", "abc", "libevy: EVY_HUBS=abc: not a number from 1 to 64; using the default\n"},
    {"EVY_HUBS", "65", "libevy: EVY_HUBS=65: not a number from 1 to 64; using the default\n"},
    {"EVY_HUBS", "1k", "libevy: EVY_HUBS=1k: not a number from 1 to 64; using the default\n"},
    {"EVY_BLOCKING_THREADS", "1001",
     "libevy: EVY_BLOCKING_THREADS=1001: not a number from 1 to 1000; using the default\n"},
    {"EVY_STACK", "4k",
     "libevy: EVY_STACK=4k: not a size from 16k to 64g such as 65536, 64k or 1m; using the "
     "default\n"},
    {"EVY_HUB_METHOD", "kqueue",
     "libevy: EVY_HUB_METHOD=kqueue: not epoll, poll or select; using the default\n"},
    {"EVY_LOG", "loud",
     "libevy: EVY_LOG=loud: not off, error, warn, info or debug, perhaps with ,FILE; using warn\n"},
    {"EVY_LOG", "info,/nonexistent/x",
     "libevy: EVY_LOG=info,/nonexistent/x: cannot open the file: No such file or directory; using "
     "stderr\n"},
    {"EVY_PATCH", "dns,sockt,time",
     "libevy: EVY_PATCH=dns,sockt,time: \"sockt\" is not legal here; legal are all, none, or a "
     "list of "
     "socket select time thread os dns signal process stdio file, each as name or -name; using the "
     "default\n"},
};

START_TEST(load_bad)
{
    setenv(bad_values[_i].name, bad_values[_i].value, 1);
    ck_assert_str_eq(load_and_read(), bad_values[_i].says);
    ck_assert_uint_eq(config.patch, SUBSET_ALL);
    ck_assert(config.hubs >= 1 && config.hubs <= MAX_HUBS);
    ck_assert_uint_eq(config.stack, 0);
    ck_assert_int_eq(config.method, METHOD_EPOLL);
}
END_TEST

START_TEST(bad_value_shown_though_off)
{
    setenv("EVY_LOG", "off", 1);
    setenv("EVY_HUBS", "0", 1);
    ck_assert_str_eq(load_and_read(),
                     "libevy: EVY_HUBS=0: not a number from 1 to 64; using the default\n");
}
END_TEST

START_TEST(log_to_file)
{
    char path[] = "/tmp/evy_logXXXXXX", value[64], text[2048];
    close(mkstemp(path));
    snprintf(value, sizeof(value), "info,%s", path);
    setenv("EVY_LOG", value, 1);
    ck_assert_str_eq(load_and_read(), "");
    ck_assert_int_ge(log_fd, 100);
    ck_assert_int_ne(fcntl(log_fd, F_GETFD) & FD_CLOEXEC, 0);
    log_info("number %d", 7);
    log_debug("not shown");
    log_error("%0600d", 0); /* cut */
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    text[n] = '\0';
    ck_assert_ptr_eq(strstr(text, "libevy: number 7\nlibevy: 000"), text);
    ck_assert_int_eq(n, 17 + 501);
    ck_assert_int_eq(text[n - 1], '\n');
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base");
    TCase *tc = tcase_create("base");
    tcase_add_test(tc, list_keeps_order);
    tcase_add_test(tc, list_removal_while_walking);
    tcase_add_test(tc, inbox_of_many_producers);
    tcase_add_test(tc, spin_excludes);
    tcase_add_test(tc, clock_conversions);
    tcase_add_test(tc, deadlines_saturate);
    tcase_add_test(tc, deadlines_of_clocks);
    tcase_add_loop_test(tc, patch_legal, 0, array_len(legal_patches));
    tcase_add_loop_test(tc, patch_bad, 0, array_len(bad_patches));
    tcase_add_test(tc, sizes);
    tcase_add_test(tc, load_good);
    tcase_add_test(tc, load_defaults);
    tcase_add_loop_test(tc, load_bad, 0, array_len(bad_values));
    tcase_add_test(tc, bad_value_shown_though_off);
    tcase_add_test(tc, log_to_file);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
