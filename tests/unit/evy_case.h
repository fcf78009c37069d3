/* For tests of the explicit API: each case runs in a process of its own whose main thread is the green thread that
   calls, with a time limit, and must leave the hub empty. Every suite runs once per hub method. */
#ifndef TEST_EVY_CASE_H
#define TEST_EVY_CASE_H

#include "../suite.h"
#include "api/gt.h"
#include "base/config.h"
#include "core/hub.h"

#include <evy.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_SIZE 256
static char trace[TRACE_SIZE]; /* what happened, in order */

static inline void say(const char *what)
{
    ck_assert_uint_lt(strlen(trace) + strlen(what), TRACE_SIZE);
    strcat(trace, what);
}

/* A name of one letter. */
static inline char *letter(char c)
{
    static char letters[128][2];
    letters[(unsigned char)c % 128][0] = c;
    return letters[(unsigned char)c % 128];
}

#define ck_assert_trace(expected)                                                                  \
    do {                                                                                           \
        ck_assert_str_eq(trace, expected);                                                         \
        trace[0] = 0;                                                                              \
    } while (0)

#define ck_assert_fails(call, err)                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        ck_assert_int_eq((int)(call), -1);                                                         \
        ck_assert_int_eq(errno, err);                                                              \
    } while (0)

#define ck_assert_null_with(call, err)                                                             \
    do {                                                                                           \
        errno = 0;                                                                                 \
        ck_assert_ptr_null(call);                                                                  \
        ck_assert_int_eq(errno, err);                                                              \
    } while (0)

static inline double seconds_now(void)
{
    return (double)clock_now() / 1e9;
}

static void case_begins(void)
{
    config.patch = SUBSET_SIGNAL | SUBSET_PROCESS; /* as in a program that links the library */
    ck_assert_ptr_nonnull(evy_getcurrent());
}

static void case_ends(void)
{
    evy_sleep(0);
    evy_sleep(0);
    const struct hub *h = &hubs[0];
    ck_assert_ptr_null(h->runnable.first);
    ck_assert_ptr_null(h->held.first);
    ck_assert_uint_eq(h->timers.count, 0);
    ck_assert_uint_eq(h->watches, 0);
    list_for_each (node, &h->lights.bodies)
        ck_assert(gt_is(list_entry(node, struct green, siblings), GT_DEAD));
}

/* Runs the cases that add gives to a TCase, with each hub method. Returns what main does. */
static inline int run_cases(const char *name, void (*add)(TCase *))
{
    static const char *const methods[] = {"epoll", "poll", "select"};
    int failed = EXIT_SUCCESS;
    setenv("EVY_HUBS", "1", 1);
    for (size_t i = 0; i < 3; i++) {
        setenv("EVY_HUB_METHOD", methods[i], 1);
        Suite *s = suite_create(name);
        TCase *tc = tcase_create(methods[i]);
        tcase_set_timeout(tc, 10);
        tcase_add_checked_fixture(tc, case_begins, case_ends);
        add(tc);
        suite_add_tcase(s, tc);
        failed |= run_suite(s);
    }
    return failed;
}

#endif
